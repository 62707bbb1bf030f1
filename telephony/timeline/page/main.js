// The page of one call: puts the parts together, and obeys mouse and keyboard.

import { KINDS } from "./lanes.js";
import { Player } from "./player.js";
import { Rail, RawRows, element, showFigures } from "./panels.js";
import { Stage, clock } from "./stage.js";

const EVENTS = ["barge_in", "hold", "gap", "silence", "talk_over", "tool", "resume", "store_away", "fault", "clear", "key", "note"];

// Shows a timeline (`CallTimeline` as JSON, without its rows) with its sound (see `player.js`).
// `rows` gives, or promises, the raw events.
export function show(timeline, sound, rows) {
  return new Page(timeline, sound, rows);
}

const by = (id) => document.getElementById(id);

class Page {
  constructor(timeline, sound, rows) {
    this.timeline = timeline;
    this.rows = rows;
    this.turns = [...timeline.turns].sort((a, b) => a.from_ms - b.from_ms || a.n - b.n);
    this.events = [...new Set(timeline.spans.filter((s) => EVENTS.includes(s.kind)))];
    this.tellAbout();
    this.stage = new Stage(timeline, {
      stage: by("stage"), canvas: by("canvas"), overview: by("overview"),
      lanes: by("lanes"), lights: by("lights"), cursor: by("cursor"),
    });
    this.player = new Player(sound);
    this.player.onChange = () => this.showPlaying();
    this.rail = new Rail(by("turns"), this.turns, (turn) => this.pickTurn(turn));
    this.raw = null;
    this.pressed = null;
    this.litRows = [];
    showFigures(by("figures"), timeline, (...picked) => this.pickFigure(...picked));
    by("stage").setAttribute("aria-valuemax", timeline.about.duration_ms);
    this.seek(0);
    this.listen();
  }

  tellAbout() {
    const { about } = this.timeline;
    by("name").textContent = about.name;
    by("why").textContent = about.why;
    by("why").hidden = !about.why;
    const began = new Date(about.began_ms).toISOString().replace("T", " ").slice(0, 19);
    const told = [
      ["Agent", about.persona],
      ["Began (UTC)", began],
      ["Length", clock(about.duration_ms)],
      ["Ended", about.ended_reason || "not recorded"],
      ["Cost", about.usd === null ? "unknown" : `$${about.usd.toFixed(4)}`],
      ["Workers", about.workers],
    ];
    for (const [term, value] of told) {
      const pair = element("div", "");
      pair.append(element("dt", term), element("dd", String(value)));
      by("about").append(pair);
    }
  }

  // Where the cursor is.

  seek(ms, follow = true) {
    this.player.seek(ms);
    this.moved(follow);
  }

  moved(follow) {
    const ms = this.player.nowMs;
    this.stage.moveCursor(ms, follow);
    by("clock").textContent = `${clock(ms)} of ${clock(this.timeline.about.duration_ms)}`;
    by("stage").setAttribute("aria-valuenow", Math.round(ms));
    if (!this.player.playing) by("stage").setAttribute("aria-valuetext", this.tellPlace(ms));
    this.rail.mark(ms);
  }

  tellPlace(ms) {
    const turn = this.turns.findLast((each) => each.from_ms <= ms && ms <= each.until_ms);
    const who = turn ? `, ${turn.role}: ${turn.heard}` : "";
    return `${clock(ms)}${who}`;
  }

  get ms() {
    return this.player.nowMs;
  }

  showPlaying() {
    const { playing } = this.player;
    by("play").textContent = playing ? "Pause" : "Play";
    if (!playing) {
      this.moved(false);
      return;
    }
    const frame = () => {
      if (!this.player.playing) return;
      this.moved(true);
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  togglePlay() {
    if (this.player.playing) this.player.stop();
    else this.player.play(this.ms >= this.player.sound.ms - 1 ? 0 : this.ms);
  }

  playTurn() {
    const turn = this.turns[this.rail.current] ?? this.turns[0];
    if (turn) this.player.play(turn.from_ms, Math.max(turn.until_ms, turn.from_ms + 200));
  }

  // Turns, events and figures.

  pickTurn(turn) {
    this.light([turn], null);
    this.stage.reveal(turn.from_ms, turn.until_ms);
    this.seek(turn.from_ms);
    this.tell(`Turn ${turn.n}, ${turn.role}: ${turn.text}`, turn.raw);
  }

  turn(step) {
    const at = this.rail.current ?? -1;
    const here = this.turns[at];
    const again = step < 0 && here && this.ms > here.from_ms + 500;
    const next = this.turns[again ? at : Math.max(0, Math.min(this.turns.length - 1, at + step))];
    if (next) this.pickTurn(next);
  }

  event(step) {
    const now = this.ms;
    const next = step > 0
      ? this.events.find((span) => span.from_ms > now + 1)
      : this.events.findLast((span) => span.from_ms < now - 1);
    if (next) this.pickSpan(next);
  }

  pickSpan(span) {
    this.light([span], null);
    this.stage.reveal(span.from_ms, span.until_ms);
    this.seek(span.from_ms);
    const lasted = span.until_ms > span.from_ms ? `, ${span.until_ms - span.from_ms} ms` : "";
    const text = span.text ? `: ${span.text}` : "";
    this.tell(`${KINDS[span.kind].name}${text}, at ${clock(span.from_ms, 2)}${lasted}`, span.raw);
  }

  pickFigure(spans, label, button) {
    if (this.pressed === button) {
      this.light([], null);
      this.tell("", []);
      return;
    }
    this.light(spans, button);
    this.stage.reveal(spans[0].from_ms, spans.at(-1).until_ms);
    this.seek(spans[0].from_ms, false);
    this.tell(label, spans.flatMap((span) => span.raw));
  }

  light(spans, button) {
    this.pressed?.setAttribute("aria-pressed", "false");
    this.pressed = button;
    button?.setAttribute("aria-pressed", "true");
    this.stage.light(spans);
    this.litRows = spans.flatMap((span) => span.raw);
    this.raw?.light(this.litRows);
  }

  tell(text, rows) {
    const from = rows.length === 1 ? "1 raw event" : `${rows.length} raw events`;
    by("told").textContent = text && `${text}. From ${from}.`;
  }

  // Tabs.

  async openTab(name) {
    for (const each of ["figures", "raw"]) {
      const tab = by(`tab-${each}`);
      tab.setAttribute("aria-selected", String(each === name));
      tab.tabIndex = each === name ? 0 : -1;
      by(each).hidden = each !== name;
    }
    if (name === "raw") {
      const rows = this.raw === null ? await this.rows() : [];
      this.raw ??= new RawRows(by("raw-rows"), by("raw-filter"), by("raw-count"), rows, (row) => this.seek(row.from_ms));
      this.raw.light(this.litRows);
    }
  }

  // What people do.

  get keys() {
    return {
      " ": ["Space", "play, or pause", () => this.togglePlay()],
      t: ["T", "play this turn", () => this.playTurn()],
      ArrowLeft: ["←", "a second back; with Shift, a tenth", (e) => this.seek(this.ms - (e.shiftKey ? 100 : 1000))],
      ArrowRight: ["→", "a second on; with Shift, a tenth", (e) => this.seek(this.ms + (e.shiftKey ? 100 : 1000))],
      Home: ["Home", "to the beginning", () => this.seek(0)],
      End: ["End", "to the end", () => this.seek(this.timeline.about.duration_ms)],
      p: ["P", "the turn before", () => this.turn(-1)],
      n: ["N", "the next turn", () => this.turn(1)],
      ",": [",", "the event before", () => this.event(-1)],
      ".": [".", "the next event", () => this.event(1)],
      "+": ["+", "zoom in", () => this.stage.zoom(1 / 1.6)],
      "-": ["−", "zoom out", () => this.stage.zoom(1.6)],
      0: ["0", "the whole call", () => this.stage.fit()],
      f: ["F", "the figures", () => this.openTab("figures")],
      r: ["R", "the raw events", () => this.openTab("raw")],
      Escape: ["Esc", "put out the light", () => (this.light([], null), this.tell("", []))],
      "?": ["?", "these keys", () => by("keys").showModal()],
    };
  }

  listen() {
    const click = (id, does) => by(id).addEventListener("click", does);
    click("play", () => this.togglePlay());
    click("play-turn", () => this.playTurn());
    click("turn-before", () => this.turn(-1));
    click("turn-after", () => this.turn(1));
    click("event-before", () => this.event(-1));
    click("event-after", () => this.event(1));
    click("zoom-in", () => this.stage.zoom(1 / 1.6));
    click("zoom-out", () => this.stage.zoom(1.6));
    click("zoom-fit", () => this.stage.fit());
    click("help", () => by("keys").showModal());
    click("keys-close", () => by("keys").close());
    click("theme", () => this.turnTheme());
    click("tab-figures", () => this.openTab("figures"));
    click("tab-raw", () => this.openTab("raw"));
    for (const side of ["caller", "agent"]) {
      by(`hear-${side}`).addEventListener("change", (event) => this.player.hear(side, event.target.checked));
    }
    for (const [key, told] of Object.values(this.keys)) {
      const term = element("dt", "");
      term.append(element("kbd", key));
      by("key-list").append(term, element("dd", told));
    }
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.stage.recolour());
    document.addEventListener("keydown", (event) => this.key(event));
    this.listenToMouse();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || by("keys").open) return;
    const { target } = event;
    if (target.closest('input:not([type="checkbox"])')) return;
    if (target.closest("[role=tablist]") && /^Arrow(Left|Right)$/.test(event.key)) {
      const name = target.id === "tab-raw" ? "figures" : "raw";
      this.openTab(name);
      by(`tab-${name}`).focus();
      event.preventDefault();
      return;
    }
    if (event.key === " " && target.closest("button, input, a")) return; // it presses that
    const onStage = target === by("stage") || ["Escape", "?"].includes(event.key);
    if (!by("keys-on").checked && !onStage) return;
    const key = this.keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (key === undefined) return;
    event.preventDefault();
    key[2](event);
  }

  listenToMouse() {
    const stage = by("stage");
    let held = null;
    stage.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      held = { x: event.clientX, fromMs: this.stage.fromMs, moved: false };
      stage.setPointerCapture(event.pointerId);
    });
    stage.addEventListener("pointermove", (event) => {
      if (held === null) return;
      const by = event.clientX - held.x;
      held.moved ||= Math.abs(by) > 4;
      if (held.moved) this.stage.show(held.fromMs - by * this.stage.msPerPixel, this.stage.msPerPixel);
    });
    stage.addEventListener("pointerup", (event) => {
      const clicked = held !== null && !held.moved;
      held = null;
      if (!clicked) return;
      const box = stage.getBoundingClientRect();
      const [x, y] = [event.clientX - box.left, event.clientY - box.top];
      const span = this.stage.spanAt(x, y);
      if (span && !["speech", "reply"].includes(span.kind)) this.pickSpan(span);
      else this.seek(this.stage.msAt(x));
    });
    stage.addEventListener("wheel", (event) => {
      const box = stage.getBoundingClientRect();
      if (event.ctrlKey) this.stage.zoom(Math.exp(event.deltaY / 300), this.stage.msAt(event.clientX - box.left));
      else {
        const across = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
        if (across === 0) return;
        this.stage.show(this.stage.fromMs + across * this.stage.msPerPixel, this.stage.msPerPixel);
      }
      event.preventDefault();
    }, { passive: false });
    const overview = by("overview");
    const jump = (event) => {
      if (event.buttons !== 1) return;
      const part = (event.clientX - overview.getBoundingClientRect().left) / overview.clientWidth;
      this.stage.show(part * this.timeline.about.duration_ms - this.stage.seenMs / 2, this.stage.msPerPixel);
    };
    overview.addEventListener("pointerdown", jump);
    overview.addEventListener("pointermove", jump);
  }

  turnTheme() {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    this.stage.recolour();
  }
}
