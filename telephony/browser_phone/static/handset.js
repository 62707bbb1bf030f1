/**
 * A telephone's handset: what the microphone hears becomes frames of µ-law, and what Twilio plays
 * becomes sound. Pure: `worklet.js` gives it the time, which is counted in samples.
 *
 * Both ways share one clock. With each 20 ms that the caller says, 20 ms are played: frame n is said
 * and heard at the same time, so a record of both sides needs no times.
 */

import { FRAME_SAMPLES, Playout } from "./playout.js";
import { Resampler } from "./resample.js";
import { decode, encode } from "./ulaw.js";

export const PHONE_HZ = 8000;

/**
 * Silence that is played first. A frame may be complete nearly one chunk of the sound card later than
 * 20 ms after the one before it, and until then there must be something to play.
 */
const SPARE_SAMPLES = 128;

/** How long the agent's voice takes from the loudspeaker back to Twilio, with an echo. */
const ECHO_FRAMES = 8;

export class Handset {
    /** @param {number} rateHz The rate of the sound card. */
    constructor(rateHz) {
        this.playout = new Playout();
        this.echo = 0; // how loud the agent's voice comes back: 0 to 1
        this.muted = false;
        this.down = new Resampler(rateHz, PHONE_HZ);
        this.up = new Resampler(PHONE_HZ, rateHz);
        this.saying = new Float32Array(FRAME_SAMPLES);
        this.said = 0; // how much of `saying` is filled
        this.sound = new Float32Array(SPARE_SAMPLES); // what is still to be played
        this.begun = false; // whether a frame was complete yet
        this.echoes = [];
    }

    /**
     * Take what the microphone heard, and give what is to be played meanwhile.
     *
     * @param {Float32Array | undefined} heard Mono, -1 to 1; undefined without a microphone.
     * @param {Float32Array} out Filled with as many samples.
     * @returns {{said: Uint8Array, heard: Uint8Array, samples: number, marks: string[]}[]} The frames
     *     that are complete: both ways, how many samples of the second are the server's, and the
     *     marks that were played.
     */
    process(heard, out) {
        const frames = [];
        const speech = this.down.push(heard ?? new Float32Array(out.length));
        for (const sample of speech) {
            this.saying[this.said] = this.muted ? 0 : sample;
            this.said += 1;
            if (this.said === FRAME_SAMPLES) frames.push(this.exchange());
        }
        // What is spare is not played before the first frame, or it would be missing behind it.
        const count = this.begun ? Math.min(out.length, this.sound.length) : 0;
        out.set(this.sound.subarray(0, count));
        out.fill(0, count);
        this.sound = this.sound.subarray(count);
        return frames;
    }

    /** Say a frame and play a frame. */
    exchange() {
        this.begun = true;
        const { ulaw, samples } = this.playout.frame();
        const voice = decode(ulaw);
        this.echoes.push(voice);
        const back = this.echoes.length > ECHO_FRAMES ? this.echoes.shift() : undefined;
        if (this.echo && back) {
            for (let n = 0; n < FRAME_SAMPLES; n += 1) this.saying[n] += this.echo * back[n];
        }
        const wide = this.up.push(voice);
        const sound = new Float32Array(this.sound.length + wide.length);
        sound.set(this.sound);
        sound.set(wide, this.sound.length);
        this.sound = sound;
        this.said = 0;
        return { said: encode(this.saying), heard: ulaw, samples, marks: this.playout.due() };
    }
}
