/**
 * One call: it is placed, its streams follow one another, and in between the server says what comes.
 *
 * Where a socket is lost, Twilio asks the server what to do; so does this, and the call comes back
 * on a new stream.
 */

import { Line } from "./line.js";
import { Record } from "./record.js";

/** The close codes of a stream that ended as it should. */
const NORMAL = new Set([1000, 1005]);

/** How this page closes a socket that is to look lost; codes from 4000 on are free. */
const LOST = 4000;

export class Call extends EventTarget {
    /**
     * @param {{post: (message: object) => void}} handset
     * @param {import("./weather.js").Weather} weather
     */
    constructor(handset, weather) {
        super();
        this.handset = handset;
        this.weather = weather;
        this.record = new Record();
        this.callSid = undefined;
        this.over = false;
        this.streams = 0; // so many so far
        this.line = undefined; // while a stream is open
        this.socket = undefined;
        this.waiting = undefined; // while the server waits for a person: a function that answers
        this.keys = "";
        this.up = new Way("up", weather);
        this.down = new Way("down", weather);
    }

    /** Place the call, and stay on the line until it is over. */
    async run() {
        let step = await this.ask("/phone/calls");
        this.callSid = step.callSid;
        this.tell("placed", { callSid: step.callSid });
        while (!this.over && step.do !== "end") {
            const outcome = await this.follow(step);
            if (this.over) break;
            step = await this.ask(`/phone/calls/${this.callSid}/next`, outcome);
        }
        const hungUp = step.do !== "end";
        if (hungUp) await this.end();
        this.over = true;
        this.tell("over", { words: hungUp ? "" : step.words });
    }

    /** Hang up. */
    hangUp() {
        if (this.over) return;
        this.over = true;
        if (this.line) {
            this.socket.send(this.line.stop());
            this.socket.close();
        }
        this.answer({});
    }

    /** Tell the server that the call is over; twice does no harm. */
    async end() {
        if (!this.callSid) return;
        try {
            await this.ask(`/phone/calls/${this.callSid}/end`, {}, { keepalive: true });
        } catch {
            // The server has stopped, and the call with it.
        }
    }

    /** Press a key. */
    press(digit) {
        this.record.note("key", { digit });
        if (this.line) this.send(this.line.dtmf(digit));
        else this.gathered?.(digit);
    }

    /** Let the socket break off, as if the network had lost it. */
    loseSocket() {
        this.socket?.close(LOST, "lost on purpose");
    }

    /** Answer what the server waits for. */
    answer(outcome) {
        this.waiting?.(outcome);
    }

    /** What the handset tells. */
    take(message) {
        if (message.ended) {
            this.tell("problem", { words: "The microphone was disconnected." });
            return;
        }
        if (message.said) {
            this.record.add(message);
            this.tell("frame", message);
        }
        if (!this.line || message.stream !== this.streams) return;
        if (message.discarded) this.warn("31931: more than ten minutes of audio are queued");
        if (message.dropped !== undefined) {
            this.record.note("clear", { dropped: message.dropped });
            this.tell("clear", { dropped: message.dropped });
        }
        if (message.said) {
            if (this.weather.loses()) this.line.lose();
            else this.send(this.line.media(message.said));
        }
        for (const name of message.marks ?? []) this.send(this.line.mark(name));
    }

    /** Do what a document wants, and return how it went. */
    async follow(step) {
        this.tell("step", step);
        switch (step.do) {
            case "stream":
                return this.stream(step.stream);
            case "say":
                return this.wait({ ms: step.ms });
            case "gather":
                return this.gather(step);
            case "dial":
                return this.wait({});
            default:
                throw new Error(`expected an instruction that this page knows, got ${step.do}`);
        }
    }

    stream(about) {
        return new Promise((resolve) => {
            const line = new Line(about);
            const socket = new WebSocket(`ws://${location.host}/twilio/media`);
            this.streams += 1;
            this.handset.post({ stream: this.streams });
            socket.onopen = () => {
                this.line = line;
                this.socket = socket;
                for (const message of line.open()) this.send(message);
                this.record.note("stream", { streamSid: about.streamSid });
                this.tell("stream", {});
            };
            socket.onmessage = ({ data }) => {
                this.down.later(() => {
                    if (this.line === line) this.receive(line.read(data));
                });
            };
            socket.onclose = ({ code, reason }) => {
                this.line = undefined;
                this.socket = undefined;
                this.up.clear();
                this.down.clear();
                this.handset.post({ stream: 0 }); // what was queued at Twilio is lost
                const broken = !NORMAL.has(code);
                this.record.note("closed", { code, broken });
                this.tell("closed", { code, reason, broken });
                resolve({ broken });
            };
        });
    }

    receive(message) {
        if (message.problem) this.warn(message.problem);
        else this.handset.post(message);
    }

    send(message) {
        const socket = this.socket;
        this.up.later(() => {
            if (socket.readyState === WebSocket.OPEN) socket.send(message);
        });
    }

    /** Wait for a while, or for `answer`. */
    wait({ ms }) {
        return new Promise((resolve) => {
            const timer = ms === undefined ? undefined : setTimeout(() => this.answer({}), ms);
            this.waiting = (outcome) => {
                clearTimeout(timer);
                this.waiting = undefined;
                resolve(outcome);
            };
        });
    }

    /** Wait for keys. */
    async gather({ ms, keys, finish }) {
        let digits = "";
        const done = this.wait({ ms });
        this.gathered = (digit) => {
            if (digit !== finish) digits += digit;
            if (digit === finish || digits.length === keys) this.answer({ digits });
        };
        const outcome = await done;
        this.gathered = undefined;
        return { digits, ...outcome };
    }

    async ask(path, body = {}, options = {}) {
        const response = await fetch(path, {
            method: "POST",
            headers: { "Content-Type": "application/json" },
            body: JSON.stringify(body),
            ...options,
        });
        if (!response.ok) throw new Error(`${path}: HTTP ${response.status}`);
        return response.json();
    }

    warn(words) {
        this.record.note("warning", { words });
        this.tell("warning", { words });
    }

    tell(kind, detail) {
        this.dispatchEvent(new CustomEvent(kind, { detail }));
    }
}

/** What is on its way in one direction: in order, each no earlier than the weather lets it. */
class Way {
    constructor(name, weather) {
        this.name = name;
        this.weather = weather;
        this.queue = [];
        this.timer = undefined;
    }

    later(act) {
        const now = performance.now();
        const wait = this.weather.delayMs(this.name, now);
        if (wait <= 0 && !this.queue.length) {
            act();
            return;
        }
        this.queue.push({ due: now + wait, act });
        this.timer ??= setTimeout(() => this.pump(), wait);
    }

    pump() {
        this.timer = undefined;
        const now = performance.now();
        while (this.queue.length && this.queue[0].due <= now) this.queue.shift().act();
        if (this.queue.length) {
            this.timer = setTimeout(() => this.pump(), this.queue[0].due - now);
        }
    }

    clear() {
        clearTimeout(this.timer);
        this.timer = undefined;
        this.queue = [];
    }
}
