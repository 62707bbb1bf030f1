// What stands beside the stage: the rail of turns, the figures, and the raw events.

import { FIGURES } from "./lanes.js";
import { clock } from "./stage.js";

const ROW = 24; // px

export function element(tag, text, attributes = {}) {
  const made = document.createElement(tag);
  if (text !== "") made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

export function amount(figure) {
  return figure.unit === "usd" ? `$${figure.value.toFixed(4)}` : `${Math.round(figure.value)} ms`;
}

// The rail. `onPick` gets a turn.
export class Rail {
  constructor(list, turns, onPick) {
    this.turns = turns;
    this.buttons = turns.map((turn) => {
      const button = element("button", "", { type: "button" });
      const when = element("span", "", { class: "when" });
      const who = turn.role === "caller" ? "Caller" : "Agent";
      when.append(
        element("span", who, { class: "who" }),
        element("span", clock(turn.from_ms)),
        element("span", `${((turn.until_ms - turn.from_ms) / 1000).toFixed(1)} s`),
      );
      button.append(when, ...wordsOf(turn));
      button.addEventListener("click", () => onPick(turn));
      const item = element("li", "", { class: turn.role });
      item.append(button);
      list.append(item);
      return button;
    });
    this.current = null;
  }

  // Marks the turn that is heard, or was heard last.
  mark(ms) {
    let found = -1;
    this.turns.forEach((turn, n) => {
      if (turn.from_ms <= ms + 1 && (found < 0 || turn.from_ms >= this.turns[found].from_ms)) found = n;
    });
    if (found === this.current) return;
    this.buttons[this.current]?.removeAttribute("aria-current");
    this.current = found;
    this.buttons[found]?.setAttribute("aria-current", "true");
    this.buttons[found]?.scrollIntoView({ block: "nearest" });
  }
}

function wordsOf(turn) {
  if (turn.heard === turn.text || turn.role === "caller") return [element("span", turn.text)];
  const rest = turn.text.startsWith(turn.heard) ? turn.text.slice(turn.heard.length) : turn.text;
  const unheard = element("del", "");
  unheard.append(element("span", " not heard: ", { class: "unseen" }), rest.trim());
  return [element("span", `${turn.heard} `), unheard];
}

// The figures. `onPick` gets the spans to light, the label, and the button.
export function showFigures(section, timeline, onPick) {
  for (const [kind, [name, meaning]] of Object.entries(FIGURES)) {
    const figures = timeline.figures.filter((figure) => figure.kind === kind);
    if (figures.length === 0) continue;
    const box = element("div", "", { class: "figure" });
    const heading = element("h3", name);
    heading.append(...summary(figures));
    const list = element("ul", "", { "aria-label": name });
    for (const figure of figures) {
      const span = timeline.spans[figure.span];
      const label = `${name}, ${amount(figure)}, ${figure.label}, at ${clock(span.from_ms)}`;
      const button = element("button", amount(figure), { type: "button", "aria-pressed": "false" });
      button.setAttribute("aria-label", label);
      button.title = `${figure.label}, at ${clock(span.from_ms)}`;
      button.dataset.kind = kind;
      button.addEventListener("click", () => onPick([span], label, button));
      const item = element("li", "");
      item.append(button);
      list.append(item);
    }
    if (figures.length > 1) {
      const spans = figures.map((figure) => timeline.spans[figure.span]);
      const all = element("button", `all ${figures.length}`, { type: "button", "aria-pressed": "false" });
      all.setAttribute("aria-label", `${name}: all ${figures.length}`);
      all.addEventListener("click", () => onPick(spans, `${name}: all ${figures.length}`, all));
      const item = element("li", "");
      item.append(all);
      list.append(item);
    }
    box.append(heading, element("p", meaning), list);
    section.append(box);
  }
}

function summary(figures) {
  const told = (text, about) => {
    const amount = element("span", "");
    amount.append(element("small", about), text);
    return [amount];
  };
  if (figures[0].unit === "usd") {
    return told(`$${figures.reduce((sum, each) => sum + each.value, 0).toFixed(4)}`, "");
  }
  if (figures.length === 1) return told(amount(figures[0]), "");
  const values = figures.map((figure) => figure.value).sort((a, b) => a - b);
  return told(`${Math.round(values[Math.ceil(values.length / 2) - 1])} ms`, "median ");
}

// The raw events: only the rows that are seen are in the document.
export class RawRows {
  constructor(table, filter, count, rows, onPick) {
    Object.assign(this, { table, filter, count, rows, onPick });
    this.lit = new Set();
    this.selected = -1;
    this.inside = element("div", "", { role: "rowgroup" });
    table.append(this.inside);
    table.addEventListener("scroll", () => this.draw());
    filter.addEventListener("input", () => this.sift());
    table.addEventListener("keydown", (event) => this.key(event));
    this.sift();
  }

  sift() {
    const wanted = this.filter.value.trim().toLowerCase();
    const holds = (row) => `${row.name} ${row.text}`.toLowerCase().includes(wanted);
    this.shown = wanted ? this.rows.filter(holds) : this.rows;
    this.count.textContent = `${this.shown.length} of ${this.rows.length} rows`;
    this.inside.style.height = `${this.shown.length * ROW}px`;
    this.table.setAttribute("aria-rowcount", this.shown.length);
    this.draw();
  }

  light(numbers) {
    this.lit = new Set(numbers);
    if (numbers.length > 0) {
      if (!this.shown.some((row) => this.lit.has(row.n))) this.filter.value = "";
      this.sift();
      this.goTo(numbers[0]);
    } else this.draw();
  }

  goTo(number) {
    const at = this.shown.findIndex((row) => row.n === number);
    if (at < 0) return;
    const top = at * ROW;
    if (top < this.table.scrollTop || top > this.table.scrollTop + this.table.clientHeight - ROW) {
      this.table.scrollTop = Math.max(0, top - this.table.clientHeight / 3);
    }
    this.draw();
  }

  key(event) {
    const by = { ArrowDown: 1, ArrowUp: -1, PageDown: 15, PageUp: -15 }[event.key];
    if (by === undefined || this.shown.length === 0) return;
    event.preventDefault();
    event.stopPropagation();
    const at = this.shown.findIndex((row) => row.n === this.selected);
    const next = Math.max(0, Math.min(this.shown.length - 1, at + by));
    this.pick(this.shown[next]);
  }

  pick(row) {
    this.selected = row.n;
    this.goTo(row.n);
    this.onPick(row);
  }

  draw() {
    const first = Math.max(0, Math.floor(this.table.scrollTop / ROW) - 5);
    const last = Math.min(this.shown.length, first + Math.ceil((this.table.clientHeight || 420) / ROW) + 10);
    const made = [];
    for (let n = first; n < last; n++) made.push(this.rowOf(this.shown[n], n));
    this.inside.replaceChildren(...made);
  }

  rowOf(row, n) {
    const made = element("div", "", { class: "row", role: "row", "aria-rowindex": n + 1 });
    made.dataset.n = row.n;
    made.style.top = `${n * ROW}px`;
    if (this.lit.has(row.n)) made.classList.add("lit");
    made.setAttribute("aria-selected", String(row.n === this.selected));
    const until = row.count > 1 ? ` ×${row.count}` : "";
    const cells = [
      [row.n, "n"],
      [clock(row.from_ms, 3), "t"],
      [row.side === "event" ? "→" : "←", "side"],
      [row.name + until, "kind"],
      [row.text, "text"],
    ];
    for (const [text, name] of cells) made.append(element("span", String(text), { class: name, role: "cell" }));
    made.addEventListener("click", () => this.pick(row));
    return made;
  }
}
