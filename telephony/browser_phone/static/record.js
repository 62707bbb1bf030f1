/**
 * Both sides of a call, as they were said and heard, frame by frame. Pure.
 *
 * Frame n of both sides sounded at the same time. What is noted beside them has the sample at which
 * it happened.
 */

import { FRAME_SAMPLES } from "./playout.js";
import { DECODED } from "./ulaw.js";

/** An hour: 58 MB. What comes after that is not kept. */
const MOST_FRAMES = 50 * 3600;

const HEADER_BYTES = 44;

export class Record {
    constructor() {
        this.said = [];
        this.heard = [];
        /** Of each frame, how many of the samples that were heard are the server's. */
        this.samples = [];
        this.notes = [];
    }

    /** @param {{said: Uint8Array, heard: Uint8Array, samples: number}} frame */
    add(frame) {
        if (this.said.length >= MOST_FRAMES) return;
        this.said.push(frame.said);
        this.heard.push(frame.heard);
        this.samples.push(frame.samples);
    }

    /** Note what happened now: a kind, and more about it. */
    note(kind, about = {}) {
        this.notes.push({ kind, at: this.said.length * FRAME_SAMPLES, ...about });
    }

    /** A WAV file, 8 kHz, 16 bits: the caller on the left, what was heard on the right. */
    wav() {
        const bytes = this.said.length * FRAME_SAMPLES * 4;
        const file = new DataView(new ArrayBuffer(HEADER_BYTES + bytes));
        const write = (at, text) => {
            for (let n = 0; n < text.length; n += 1) file.setUint8(at + n, text.charCodeAt(n));
        };
        write(0, "RIFF");
        file.setUint32(4, HEADER_BYTES - 8 + bytes, true);
        write(8, "WAVEfmt ");
        file.setUint32(16, 16, true); // the length of what follows about the format
        file.setUint16(20, 1, true); // PCM
        file.setUint16(22, 2, true); // channels
        file.setUint32(24, 8000, true);
        file.setUint32(28, 8000 * 4, true); // bytes a second
        file.setUint16(32, 4, true); // bytes a sample of both
        file.setUint16(34, 16, true);
        write(36, "data");
        file.setUint32(40, bytes, true);
        let at = HEADER_BYTES;
        for (let frame = 0; frame < this.said.length; frame += 1) {
            for (let n = 0; n < FRAME_SAMPLES; n += 1) {
                file.setInt16(at, DECODED[this.said[frame][n]], true);
                file.setInt16(at + 2, DECODED[this.heard[frame][n]], true);
                at += 4;
            }
        }
        return new Uint8Array(file.buffer);
    }
}
