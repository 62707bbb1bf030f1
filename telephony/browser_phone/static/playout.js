/**
 * Twilio's queue of audio and marks towards the caller, counted in samples. Pure.
 *
 * Audio is played in the order in which it came. A mark comes back once all audio before it has been
 * played, or at once if there is none. A clear empties the queue, and brings every mark back.
 */

import { SILENCE } from "./ulaw.js";

export const FRAME_SAMPLES = 160;
/** 20 ms at 8 kHz. */

/** Ten minutes; what comes beyond that is discarded (Twilio's warning 31931). */
export const CAPACITY = 10 * 60 * 8000;

export class Playout {
    constructor() {
        this.chunks = [];
        this.queued = 0; // samples that wait
        this.taken = 0; // samples of the server's that were handed out, with the frame that sounds
        this.played = 0; // those before that frame
        this.marks = []; // {at, name}: due once `played` is `at`
    }

    /**
     * Queue audio.
     *
     * @param {Uint8Array} ulaw
     * @returns {number} How many samples were discarded, because the queue is full.
     */
    append(ulaw) {
        const accepted = ulaw.subarray(0, CAPACITY - this.queued);
        if (accepted.length) this.chunks.push(accepted);
        this.queued += accepted.length;
        return ulaw.length - accepted.length;
    }

    /** Queue a mark behind all audio that was queued before it. `due` returns it. */
    mark(name) {
        this.marks.push({ at: this.taken + this.queued, name });
    }

    /**
     * Drop everything.
     *
     * @returns {{dropped: number, marks: string[]}} How many samples were not heard, and the marks.
     */
    clear() {
        const gone = { dropped: this.queued, marks: this.marks.map((mark) => mark.name) };
        this.chunks = [];
        this.queued = 0;
        this.marks = [];
        return gone;
    }

    /** The marks that are due now, in order; each once. */
    due() {
        const names = [];
        while (this.marks.length && this.marks[0].at <= this.played) {
            names.push(this.marks.shift().name);
        }
        return names;
    }

    /**
     * End the frame before, and play the next 20 ms.
     *
     * @returns {{ulaw: Uint8Array, samples: number}} The frame, filled up with silence, and how many
     *     samples of it are the server's.
     */
    frame() {
        this.played = this.taken;
        const ulaw = new Uint8Array(FRAME_SAMPLES).fill(SILENCE);
        let samples = 0;
        while (samples < FRAME_SAMPLES && this.chunks.length) {
            const chunk = this.chunks[0];
            const part = chunk.subarray(0, FRAME_SAMPLES - samples);
            ulaw.set(part, samples);
            samples += part.length;
            if (part.length === chunk.length) this.chunks.shift();
            else this.chunks[0] = chunk.subarray(part.length);
        }
        this.queued -= samples;
        this.taken += samples;
        return { ulaw, samples };
    }
}
