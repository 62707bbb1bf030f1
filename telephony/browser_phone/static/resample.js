/**
 * Changes the sample rate of a stream of audio, in chunks of any length. Pure.
 *
 * A windowed sinc, one set of taps for each phase between two input samples. Any chunking of the
 * same input gives the same output. The delay is `HALF_WIDTH` samples of the lower rate: 3 ms where
 * one rate is that of a telephone.
 */

/** How many samples of the lower rate the filter looks to either side. */
export const HALF_WIDTH = 24;

/** The middle of the filter's edge, as a share of the lower rate: 3.8 kHz of 8. */
const CUTOFF = 0.475;

/** The shape of the Kaiser window: what is stopped is 70 dB down. */
const BETA = 6.76;

export class Resampler {
    /**
     * @param {number} fromHz The rate of what is pushed.
     * @param {number} toHz The rate of what comes out.
     */
    constructor(fromHz, toHz) {
        const common = gcd(fromHz, toHz);
        /** Output sample n lies at n * step / phases input samples. */
        this.phases = toHz / common;
        this.step = fromHz / common;
        const widthIn = Math.ceil((HALF_WIDTH * fromHz) / Math.min(fromHz, toHz));
        this.tapsCount = 2 * widthIn;
        this.taps = makeTaps(this.phases, this.tapsCount, Math.min(1, toHz / fromHz));
        this.kept = new Float32Array(this.tapsCount); // silence came before
        this.at = 0; // the position of the next output sample, in 1/phases of an input sample
    }

    /**
     * Take a chunk, and return what can be computed of it.
     *
     * @param {Float32Array} chunk
     * @returns {Float32Array} Over time, toHz / fromHz as many samples.
     */
    push(chunk) {
        const input = new Float32Array(this.kept.length + chunk.length);
        input.set(this.kept);
        input.set(chunk, this.kept.length);
        const last = input.length - this.tapsCount; // the last place where all taps have input
        const count = Math.max(0, Math.ceil((last * this.phases - this.at) / this.step));
        const out = new Float32Array(count);
        for (let n = 0; n < count; n += 1) {
            const begin = Math.floor(this.at / this.phases);
            const taps = this.taps[this.at % this.phases];
            let sum = 0;
            for (let k = 0; k < this.tapsCount; k += 1) sum += input[begin + k] * taps[k];
            out[n] = sum;
            this.at += this.step;
        }
        const done = Math.min(Math.floor(this.at / this.phases), input.length);
        this.kept = input.slice(done);
        this.at -= done * this.phases;
        return out;
    }
}

/** One set of taps for each phase; each sums to 1, so that silence and level stay what they are. */
function makeTaps(phases, count, ratio) {
    return Array.from({ length: phases }, (_, phase) => {
        const taps = new Float64Array(count);
        const centre = count / 2 - 1 + phase / phases;
        let sum = 0;
        for (let k = 0; k < count; k += 1) {
            const x = k - centre;
            taps[k] = sinc(2 * CUTOFF * ratio * x) * kaiser(x / (count / 2));
            sum += taps[k];
        }
        return taps.map((tap) => tap / sum);
    });
}

function sinc(x) {
    return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

function kaiser(x) {
    return Math.abs(x) >= 1 ? 0 : bessel(BETA * Math.sqrt(1 - x * x)) / bessel(BETA);
}

/** The modified Bessel function of the first kind and order 0, as its series. */
function bessel(x) {
    let sum = 1;
    let term = 1;
    for (let n = 1; term > 1e-12 * sum; n += 1) {
        term *= (x / (2 * n)) ** 2;
        sum += term;
    }
    return sum;
}

function gcd(a, b) {
    return b === 0 ? a : gcd(b, a % b);
}
