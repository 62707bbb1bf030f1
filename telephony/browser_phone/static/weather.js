/**
 * What a bad network does to a stream: jitter, loss and stalls. Pure: time and chance are handed in.
 *
 * A stream is TCP, so its messages are late, and never lost or out of order. What is lost is lost
 * before Twilio: 20 ms that the caller said.
 */

/** A stall begins this often, on average. */
export const STALL_EVERY_MS = 5000;

export class Weather {
    /** @param {() => number} chance 0 to 1, as Math.random. */
    constructor(chance) {
        this.chance = chance;
        this.jitterMs = 0;
        this.lossPercent = 0;
        this.stallMs = 0;
        this.nextStall = undefined;
        this.stalledUntil = 0;
        this.ways = { up: 0, down: 0 }; // when the last message of each way arrives
    }

    /** Whether 20 ms of the caller's are lost before Twilio. */
    loses() {
        return this.chance() * 100 < this.lossPercent;
    }

    /**
     * How late a message of one way arrives, in ms; never before the one in front of it.
     *
     * @param {"up" | "down"} way
     * @param {number} nowMs
     */
    delayMs(way, nowMs) {
        this.stall(nowMs);
        const jitter = this.jitterMs ? Math.floor(this.chance() * this.jitterMs) : 0;
        const due = Math.max(nowMs + jitter, this.stalledUntil, this.ways[way]);
        this.ways[way] = due;
        return due - nowMs;
    }

    stall(nowMs) {
        if (!this.stallMs) {
            this.nextStall = undefined;
            return;
        }
        this.nextStall ??= nowMs + this.pause();
        if (nowMs >= this.nextStall) {
            this.stalledUntil = nowMs + this.stallMs;
            this.nextStall = this.stalledUntil + this.pause();
        }
    }

    pause() {
        return STALL_EVERY_MS * (0.5 + this.chance());
    }
}
