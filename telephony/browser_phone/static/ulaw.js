/**
 * G.711 µ-law, as every telephone of Twilio's speaks it. Pure.
 *
 * A byte stands for a sample of 14 bits, in the high bits of 16: 1 bit sign, 3 bits exponent, 4 bits
 * mantissa, all inverted. Source: ITU-T G.711 (1988), table 2a.
 */

export const SILENCE = 0xff;

const BIAS = 0x84;
const CLIP = 32_635;

/** The samples, from -32124 to 32124, of all 256 bytes. */
export const DECODED = Int16Array.from({ length: 256 }, (_, byte) => {
    const plain = ~byte & 0xff;
    const size = ((((plain & 0x0f) << 3) + BIAS) << ((plain & 0x70) >> 4)) - BIAS;
    return plain & 0x80 ? -size : size;
});

/**
 * The byte for a sample.
 *
 * @param {number} sample A whole number from -32768 to 32767.
 * @returns {number} 0 to 255.
 */
export function encodeSample(sample) {
    // The lowest two bits of 16 do not count: a negative sample is shifted, as in two's complement.
    const value = sample >> 2;
    const sign = value < 0 ? 0x80 : 0;
    const size = Math.min((value < 0 ? -value : value) << 2, CLIP) + BIAS;
    const exponent = 24 - Math.clz32(size >> 0);
    return ~(sign | (exponent << 4) | ((size >> (exponent + 3)) & 0x0f)) & 0xff;
}

/**
 * The bytes for samples between -1 and 1. What is louder is clipped.
 *
 * @param {Float32Array} samples
 * @returns {Uint8Array} As many bytes.
 */
export function encode(samples) {
    const bytes = new Uint8Array(samples.length);
    for (let n = 0; n < samples.length; n += 1) {
        const whole = Math.round(samples[n] * 32_768);
        bytes[n] = encodeSample(Math.max(-32_768, Math.min(32_767, whole)));
    }
    return bytes;
}

/**
 * The samples, between -1 and 1, of bytes.
 *
 * @param {Uint8Array} bytes
 * @returns {Float32Array} As many samples.
 */
export function decode(bytes) {
    const samples = new Float32Array(bytes.length);
    for (let n = 0; n < bytes.length; n += 1) samples[n] = DECODED[bytes[n]] / 32_768;
    return samples;
}
