// The stage: draws a part of the call, as far as it is seen, and says where a moment is on it.

import { HEIGHT, KINDS, LANES, laneOf } from "./lanes.js";
import { drawLevels, levelsOf, bytesOf } from "./levels.js";

const CLOSEST = 2; // ms per pixel
const STEPS_MS = [10, 50, 100, 250, 500, 1000, 2000, 5000, 10000, 30000, 60000, 300000, 600000];

export function clock(ms, digits = 1) {
  const s = Math.max(0, ms) / 1000;
  return `${Math.floor(s / 60)}:${(s % 60).toFixed(digits).padStart(digits ? digits + 3 : 2, "0")}`;
}

export class Stage {
  constructor(timeline, parts) {
    Object.assign(this, parts); // stage, canvas, overview, lanes, lights, cursor
    this.timeline = timeline;
    this.durationMs = Math.max(1, timeline.about.duration_ms);
    this.levels = {};
    for (const side of ["caller", "agent"]) {
      this.levels[side] = levelsOf(bytesOf(timeline.peaks[side]), timeline.peaks.every_ms);
    }
    const roles = new Map(timeline.turns.map((turn) => [turn.n, turn.role]));
    this.byLane = new Map(LANES.map((lane) => [lane.name, { spans: [], longest: 0 }]));
    timeline.spans.forEach((span, n) => {
      const lane = this.byLane.get(laneOf(span, (turn) => roles.get(turn)));
      lane.spans.push({ ...span, n, role: roles.get(span.turn) });
      lane.longest = Math.max(lane.longest, span.until_ms - span.from_ms);
    });
    this.lit = [];
    this.fromMs = 0;
    this.cursorMs = 0;
    this.dirty = false;
    for (const lane of LANES) {
      const label = document.createElement("div");
      label.textContent = lane.label;
      label.style.height = `${lane.height}px`;
      this.lanes.append(label);
    }
    new ResizeObserver(() => this.resize()).observe(this.stage);
    this.resize();
    this.fit();
  }

  resize() {
    const width = this.stage.clientWidth;
    if (!width) return;
    const whole = this.msPerPixel === undefined || this.msPerPixel >= this.durationMs / this.width;
    this.width = width;
    const dots = window.devicePixelRatio || 1;
    for (const [canvas, height] of [[this.canvas, HEIGHT], [this.overview, 40]]) {
      canvas.width = Math.round((canvas === this.canvas ? width : canvas.clientWidth) * dots);
      canvas.height = height * dots;
      canvas.style.height = `${height}px`;
      canvas.getContext("2d").setTransform(dots, 0, 0, dots, 0, 0);
    }
    this.colours = null;
    if (whole) this.fit();
    else this.show(this.fromMs, this.msPerPixel);
  }

  fit() {
    this.show(0, this.durationMs / this.width);
  }

  // Shows the call from `fromMs` on, so many ms to a pixel.
  show(fromMs, msPerPixel) {
    this.msPerPixel = Math.min(Math.max(msPerPixel, CLOSEST), Math.max(CLOSEST, this.durationMs / this.width));
    this.fromMs = Math.max(0, Math.min(fromMs, this.durationMs - this.width * this.msPerPixel));
    this.redraw();
  }

  zoom(factor, aboutMs = this.cursorMs) {
    const inside = Math.abs(aboutMs - this.fromMs - this.seenMs / 2) <= this.seenMs / 2;
    const about = inside ? aboutMs : this.fromMs + this.seenMs / 2;
    const before = this.msPerPixel;
    const at = (about - this.fromMs) / before;
    const after = Math.min(Math.max(before * factor, CLOSEST), Math.max(CLOSEST, this.durationMs / this.width));
    this.show(about - at * after, after);
  }

  get seenMs() {
    return this.width * this.msPerPixel;
  }

  xOf(ms) {
    return (ms - this.fromMs) / this.msPerPixel;
  }

  msAt(x) {
    return this.fromMs + x * this.msPerPixel;
  }

  // Moves as little as needed to show these ms, and zooms in if they would be hard to see.
  reveal(fromMs, untilMs) {
    const wide = (untilMs - fromMs) / this.msPerPixel;
    if (wide < 24 && untilMs > fromMs && this.msPerPixel > CLOSEST) {
      const msPerPixel = Math.max(CLOSEST, (untilMs - fromMs) / (this.width * 0.3));
      this.show((fromMs + untilMs) / 2 - (msPerPixel * this.width) / 2, msPerPixel);
    } else if (wide > this.width) {
      const msPerPixel = (untilMs - fromMs) / (this.width * 0.9);
      this.show(fromMs - msPerPixel * this.width * 0.05, msPerPixel);
    } else if (fromMs < this.fromMs || untilMs > this.fromMs + this.seenMs) {
      this.show((fromMs + untilMs) / 2 - this.seenMs / 2, this.msPerPixel);
    }
  }

  light(spans) {
    this.lit = spans;
    this.redraw();
  }

  moveCursor(ms, follow) {
    this.cursorMs = ms;
    if (follow && (ms < this.fromMs || ms > this.fromMs + this.seenMs * 0.92)) {
      this.show(ms - this.seenMs * 0.08, this.msPerPixel);
    }
    this.cursor.style.transform = `translateX(${this.xOf(ms)}px)`;
  }

  // The span at a point of the stage, the shortest first.
  spanAt(x, y) {
    const lane = LANES.find((each) => y >= each.top && y < each.top + each.height);
    if (lane === undefined) return null;
    const near = 4 * this.msPerPixel;
    const ms = this.msAt(x);
    const found = this.seen(this.byLane.get(lane.name), ms - near, ms + near).filter(
      (span) => KINDS[span.kind].shape !== "none",
    );
    found.sort((a, b) => a.until_ms - a.from_ms - (b.until_ms - b.from_ms));
    return found[0] ?? null;
  }

  // The spans of a lane between two times.
  seen(lane, fromMs, untilMs) {
    let low = 0;
    let high = lane.spans.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (lane.spans[middle].from_ms < fromMs - lane.longest) low = middle + 1;
      else high = middle;
    }
    const found = [];
    for (let n = low; n < lane.spans.length && lane.spans[n].from_ms <= untilMs; n++) {
      if (lane.spans[n].until_ms >= fromMs) found.push(lane.spans[n]);
    }
    return found;
  }

  recolour() {
    this.colours = null;
    this.redraw();
  }

  redraw() {
    if (this.dirty) return;
    this.dirty = true;
    requestAnimationFrame(() => {
      this.dirty = false;
      this.draw();
    });
  }

  colour(name) {
    this.colours ??= new Map();
    if (!this.colours.has(name)) {
      this.colours.set(name, getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim());
    }
    return this.colours.get(name);
  }

  draw() {
    const context = this.canvas.getContext("2d");
    context.clearRect(0, 0, this.width, HEIGHT);
    this.drawRuler(context);
    for (const side of ["caller", "agent"]) {
      const lane = LANES.find((each) => each.name === side);
      context.fillStyle = this.colour(side);
      drawLevels(context, this.levels[side], this.fromMs, this.msPerPixel, this.width, lane.top + 3, lane.height - 10);
    }
    for (const lane of LANES) this.drawLane(context, lane);
    this.lights.replaceChildren(...this.lit.map((span) => this.lightOf(span)).filter(Boolean));
    this.moveCursor(this.cursorMs, false);
    this.drawOverview();
  }

  lightOf(span) {
    const left = this.xOf(span.from_ms);
    const right = this.xOf(span.until_ms);
    if (right < -2 || left > this.width + 2) return null;
    const light = document.createElement("div");
    const wide = Math.max(3, right - left);
    light.style.left = `${left - (wide > right - left ? (wide - right + left) / 2 : 0)}px`;
    light.style.width = `${wide}px`;
    return light;
  }

  drawRuler(context) {
    const step = STEPS_MS.find((each) => each / this.msPerPixel >= 72) ?? STEPS_MS.at(-1);
    context.font = "11px system-ui, sans-serif";
    context.textBaseline = "middle";
    for (let ms = Math.floor(this.fromMs / step) * step; ms <= this.fromMs + this.seenMs; ms += step) {
      const x = Math.round(this.xOf(ms)) + 0.5;
      context.fillStyle = this.colour("line");
      context.fillRect(x, 16, 1, HEIGHT);
      context.fillStyle = this.colour("quiet");
      context.fillText(clock(ms, step < 1000 ? 2 : 0), x + 3, 10);
    }
    context.fillStyle = this.colour("line");
    for (const lane of LANES) if (lane.label) context.fillRect(0, lane.top, this.width, 1);
  }

  drawLane(context, lane) {
    let drawn = -1; // up to which pixel something small was drawn: more of it there cannot be seen
    for (const span of this.seen(this.byLane.get(lane.name), this.fromMs, this.fromMs + this.seenMs)) {
      const x = this.xOf(span.from_ms);
      const wide = (span.until_ms - span.from_ms) / this.msPerPixel;
      if (wide < 1 && x + 1 <= drawn && KINDS[span.kind].shape !== "point") continue;
      drawn = Math.max(drawn, x + 1);
      this.drawSpan(context, lane, span, x, wide);
    }
  }

  drawSpan(context, lane, span, x, wide) {
    const { colour, shape } = KINDS[span.kind];
    const { top, height } = lane;
    const middle = top + height / 2;
    context.fillStyle = this.colour(span.role === "caller" ? "caller" : colour);
    context.strokeStyle = context.fillStyle;
    context.lineWidth = 1;
    const box = [x, top + 3, Math.max(1.5, wide - 0.5), height - 6];
    switch (shape) {
      case "bar":
        context.fillRect(...box);
        this.write(context, span, x, wide, middle, "panel");
        break;
      case "word":
        context.globalAlpha = 0.16;
        context.fillRect(...box);
        context.globalAlpha = 1;
        this.write(context, span, x, wide, middle, "ink");
        break;
      case "hollow":
        context.setLineDash(span.kind === "unheard" ? [3, 2] : []);
        context.strokeRect(box[0] + 0.5, box[1] + 0.5, box[2], box[3] - 1);
        context.setLineDash([]);
        this.write(context, span, x, wide, middle, colour, span.kind === "unheard");
        break;
      case "under":
        context.fillRect(x, top + height - 5, Math.max(1, wide), 3);
        break;
      case "line":
        context.fillRect(x, middle - 1, Math.max(1, wide), 2);
        break;
      case "point":
        context.beginPath();
        context.moveTo(x, middle - 6);
        context.lineTo(x + 5, middle);
        context.lineTo(x, middle + 6);
        context.lineTo(x - 5, middle);
        context.fill();
        break;
      case "slope":
        this.drawSlope(context, span, x, wide, top, height);
        break;
    }
  }

  // How much audio Twilio holds falls by a ms each ms.
  drawSlope(context, span, x, wide, top, height) {
    const high = (ms) => (Math.max(0, Math.min(ms, 1200)) / 1200) * (height - 4);
    const base = top + height - 1;
    context.globalAlpha = 0.5;
    context.beginPath();
    context.moveTo(x, base);
    context.lineTo(x, base - high(span.level));
    context.lineTo(x + Math.max(1, wide), base - high(span.level - (span.until_ms - span.from_ms)));
    context.lineTo(x + Math.max(1, wide), base);
    context.fill();
    context.globalAlpha = 1;
  }

  write(context, span, x, wide, middle, colour, struck) {
    if (wide < 14 || !span.text) return;
    context.font = "11px system-ui, sans-serif";
    const text = span.text;
    const left = Math.max(x, 0) + 3;
    const room = x + wide - left - 2;
    const needs = context.measureText(text).width;
    if (needs > room && (KINDS[span.kind].shape === "word" || room < 24)) {
      if (needs > room * 1.35) return;
    }
    context.save();
    context.beginPath();
    context.rect(left, middle - 9, room, 18);
    context.clip();
    context.fillStyle = this.colour(colour);
    context.fillText(text, left, middle + 0.5);
    if (struck) context.fillRect(left, middle, Math.min(needs, room), 1);
    context.restore();
  }

  drawOverview() {
    const context = this.overview.getContext("2d");
    const width = this.overview.clientWidth;
    const msPerPixel = this.durationMs / width;
    context.clearRect(0, 0, width, 40);
    for (const [side, top] of [["caller", 1], ["agent", 20]]) {
      context.fillStyle = this.colour(side);
      drawLevels(context, this.levels[side], 0, msPerPixel, width, top, 18);
    }
    context.fillStyle = this.colour("light");
    context.fillRect(this.fromMs / msPerPixel, 0, Math.max(3, this.seenMs / msPerPixel), 40);
    context.fillStyle = this.colour("accent");
    for (const span of this.lit) context.fillRect(span.from_ms / msPerPixel, 0, 1.5, 40);
  }
}
