/**
 * The handset on the browser's audio thread, which a busy page does not stop.
 *
 * From the page: {stream: n} when a stream begins, {media: Uint8Array}, {mark: name}, {clear: true},
 * {echo: 0 to 1}, {muted: boolean}, {over: true}.
 * To the page, each with the number of its `stream`: {said, heard, samples, marks} every 20 ms;
 * {marks}, {dropped, marks} and {discarded} in between.
 */

import { Handset } from "./handset.js";
import { Playout } from "./playout.js";

class HandsetProcessor extends AudioWorkletProcessor {
    constructor() {
        super();
        this.handset = new Handset(sampleRate);
        this.stream = 0;
        this.over = false;
        this.port.onmessage = ({ data }) => this.take(data);
    }

    take(data) {
        const { playout } = this.handset;
        if (data.media !== undefined) {
            const discarded = playout.append(data.media);
            if (discarded) this.tell({ discarded });
        } else if (data.mark !== undefined) {
            playout.mark(data.mark);
            const marks = playout.due();
            if (marks.length) this.tell({ marks });
        } else if (data.clear) {
            this.tell(playout.clear());
        } else if (data.stream !== undefined) {
            this.stream = data.stream;
            this.handset.playout = new Playout();
        } else if (data.echo !== undefined) {
            this.handset.echo = data.echo;
        } else if (data.muted !== undefined) {
            this.handset.muted = data.muted;
        } else if (data.over) {
            this.over = true;
        }
    }

    tell(what) {
        this.port.postMessage({ ...what, stream: this.stream });
    }

    process([input], [output]) {
        for (const frame of this.handset.process(input[0], output[0])) this.tell(frame);
        return !this.over;
    }
}

registerProcessor("handset", HandsetProcessor);
