// Plays a call from any point. Its clock is that of the sound card, so the cursor cannot drift.
//
// A sound is `{rateHz, ms, pieceMs, piece(n)}`; `piece` gives, or promises, `{caller, agent}`, µ-law
// of `pieceMs`. The context has the rate of the telephone, so pieces join without a click.

const AHEAD_S = 4; // so much is scheduled in advance

// G.711 µ-law, as numbers from -1 to 1.
export const MU_LAW = Float32Array.from({ length: 256 }, (_, code) => {
  const bits = ~code & 0xff;
  const size = ((((bits & 0x0f) << 3) + 0x84) << ((bits & 0x70) >> 4)) - 0x84;
  return (bits & 0x80 ? -size : size) / 32768;
});

export class Player {
  constructor(sound) {
    this.sound = sound;
    this.playing = false;
    this.onChange = () => {};
    this.context = null;
    this.output = null;
    this.gains = {};
    this.hears = { caller: true, agent: true };
    this.restMs = 0; // where it stands while it does not play
    this.untilMs = sound.ms;
    this.sources = new Set();
    this.run = 0; // counts what was begun, so that late pieces of an old run are dropped
  }

  // Where in the call the listener is: what leaves the loudspeaker now.
  get nowMs() {
    if (!this.playing || this.startedS === null) return this.restMs;
    const late = this.context.outputLatency || this.context.baseLatency || 0;
    const gone = Math.max(0, this.context.currentTime - this.startedS - late);
    return Math.min(this.fromMs + gone * 1000, this.untilMs);
  }

  async play(fromMs, untilMs = this.sound.ms) {
    this.stop();
    this.open();
    const run = ++this.run;
    this.fromMs = this.restMs = Math.min(fromMs, this.sound.ms);
    this.untilMs = Math.min(untilMs, this.sound.ms);
    this.startedS = null;
    this.playing = true;
    this.onChange();
    await this.context.resume();
    let atMs = this.fromMs;
    while (this.playing && run === this.run) {
      if (atMs < this.untilMs && this.isDue(atMs)) {
        atMs = await this.schedule(atMs, run);
        continue;
      }
      if (this.nowMs >= this.untilMs) {
        this.restMs = this.untilMs;
        this.stop();
        return;
      }
      await new Promise((resume) => setTimeout(resume, 100));
    }
  }

  // Whether what begins at `atMs` has to be scheduled now.
  isDue(atMs) {
    if (this.startedS === null) return true;
    return this.startedS + (atMs - this.fromMs) / 1000 < this.context.currentTime + AHEAD_S;
  }

  // Schedules the rest of the piece that `atMs` is in. Returns where the next one begins.
  async schedule(atMs, run) {
    const { rateHz, pieceMs } = this.sound;
    const n = Math.floor(atMs / pieceMs);
    const piece = await this.sound.piece(n);
    if (run !== this.run) return atMs;
    const first = Math.round(((atMs - n * pieceMs) * rateHz) / 1000);
    const endMs = Math.min((n + 1) * pieceMs, this.untilMs);
    const last = Math.min(piece.caller.length, Math.round(((endMs - n * pieceMs) * rateHz) / 1000));
    if (this.startedS === null) this.startedS = this.context.currentTime + 0.05;
    if (last > first) {
      const startS = this.startedS + (atMs - this.fromMs) / 1000;
      for (const side of ["caller", "agent"]) this.begin(side, piece[side].subarray(first, last), startS);
    }
    return endMs;
  }

  begin(side, ulaw, startS) {
    const buffer = this.context.createBuffer(1, ulaw.length, this.sound.rateHz);
    const samples = buffer.getChannelData(0);
    for (let i = 0; i < ulaw.length; i++) samples[i] = MU_LAW[ulaw[i]];
    const source = this.context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.gains[side]);
    source.start(startS);
    this.sources.add(source);
    source.onended = () => this.sources.delete(source);
  }

  open() {
    if (this.context !== null) return;
    this.context = new AudioContext({ sampleRate: this.sound.rateHz });
    this.output = this.context.createGain();
    this.output.connect(this.context.destination);
    for (const side of ["caller", "agent"]) {
      this.gains[side] = this.context.createGain();
      this.gains[side].gain.value = this.hears[side] ? 1 : 0;
      this.gains[side].connect(this.output);
    }
  }

  // Stops where it is.
  stop() {
    if (!this.playing) return;
    this.restMs = this.nowMs;
    this.playing = false;
    this.run++;
    for (const source of this.sources) source.stop();
    this.sources.clear();
    this.onChange();
  }

  // Goes somewhere else, and plays on there if it played.
  seek(ms) {
    const to = Math.max(0, Math.min(ms, this.sound.ms));
    if (this.playing) this.play(to);
    else this.restMs = to;
  }

  hear(side, on) {
    this.hears[side] = on;
    if (this.context !== null) this.gains[side].gain.value = on ? 1 : 0;
  }
}
