/**
 * Twilio's half of one Media Stream: the messages, as Twilio writes and reads them. Pure.
 *
 * Source: Twilio's documentation (Media Streams, WebSocket messages; read in October 2026). Numbers
 * are strings, except in `mediaFormat`.
 */

const FRAME_MS = 20;

export class Line {
    /**
     * @param {{streamSid: string, callSid: string, accountSid: string,
     *     parameters: Record<string, string>}} stream
     */
    constructor(stream) {
        this.stream = stream;
        this.sequence = 0;
        this.chunk = 0;
        this.frames = 0;
    }

    /** The first two messages. */
    open() {
        const { streamSid, callSid, accountSid, parameters } = this.stream;
        const connected = { event: "connected", protocol: "Call", version: "1.0.0" };
        const start = {
            accountSid,
            streamSid,
            callSid,
            tracks: ["inbound"],
            mediaFormat: { encoding: "audio/x-mulaw", sampleRate: 8000, channels: 1 },
            customParameters: parameters,
        };
        return [JSON.stringify(connected), this.message("start", start)];
    }

    /**
     * The caller has said 20 ms.
     *
     * @param {Uint8Array} ulaw
     */
    media(ulaw) {
        this.chunk += 1;
        const media = {
            track: "inbound",
            chunk: String(this.chunk),
            timestamp: String(this.frames * FRAME_MS),
            payload: toBase64(ulaw),
        };
        this.frames += 1;
        return this.message("media", media);
    }

    /** The caller has said 20 ms that did not reach Twilio: only the time goes on. */
    lose() {
        this.frames += 1;
    }

    /** A mark has been played, or dropped by a clear. */
    mark(name) {
        return this.message("mark", { name });
    }

    /** The caller has pressed a key. The track has another name here than in media. */
    dtmf(digit) {
        return this.message("dtmf", { track: "inbound_track", digit });
    }

    /** The caller has hung up. */
    stop() {
        const { accountSid, callSid } = this.stream;
        return this.message("stop", { accountSid, callSid });
    }

    message(event, about) {
        this.sequence += 1;
        const { streamSid } = this.stream;
        return JSON.stringify({
            event,
            sequenceNumber: String(this.sequence),
            streamSid,
            [event]: about,
        });
    }

    /**
     * Read a message of the server.
     *
     * @param {unknown} text
     * @returns {{media: Uint8Array} | {mark: string} | {clear: true} | {problem: string}} What the
     *     handset is to do, or what Twilio would warn of.
     */
    read(text) {
        if (typeof text !== "string") return { problem: "31950: a binary frame" };
        let message;
        try {
            message = JSON.parse(text);
        } catch {
            return { problem: "31951: a message that is not JSON" };
        }
        if (message?.streamSid !== this.stream.streamSid) {
            return { problem: "31951: a message for another stream" };
        }
        if (message.event === "clear") return { clear: true };
        if (message.event === "mark" && message.mark?.name) return { mark: message.mark.name };
        if (message.event === "media" && message.media?.payload) {
            const media = fromBase64(message.media.payload);
            return media ? { media } : { problem: "31951: a payload that is not base64" };
        }
        return { problem: `31951: a message that Twilio does not know: ${message.event}` };
    }
}

/** @param {Uint8Array} bytes */
export function toBase64(bytes) {
    return btoa(String.fromCharCode(...bytes));
}

/** The bytes, or null if it is not base64. */
export function fromBase64(text) {
    try {
        return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    } catch {
        return null;
    }
}
