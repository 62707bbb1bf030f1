// Which lane each kind of span is drawn in, how, and what it is called.

export const LANES = [
  { name: "ruler", label: "", height: 22 },
  { name: "caller", label: "Caller", height: 58 },
  { name: "caller-words", label: "said", height: 20 },
  { name: "agent", label: "Agent as heard", height: 58 },
  { name: "agent-words", label: "heard", height: 20 },
  { name: "unheard", label: "not heard", height: 20 },
  { name: "stages", label: "Answer", height: 20 },
  { name: "stops", label: "Barge-ins, holds", height: 20 },
  { name: "between", label: "Silence, overlap", height: 20 },
  { name: "tools", label: "Tools", height: 20 },
  { name: "lead", label: "Lead", height: 34 },
  { name: "marks", label: "Marks, clears", height: 20 },
  { name: "stream", label: "Stream, keys", height: 20 },
  { name: "model", label: "Model", height: 20 },
  { name: "faults", label: "Faults", height: 20 },
  { name: "cost", label: "Cost", height: 20 },
];

let top = 0;
for (const lane of LANES) {
  lane.top = top;
  top += lane.height;
}
export const HEIGHT = top;

// `lane`; `colour`, a variable of the style sheet; `shape`: a bar, a line, a point, or nothing until it is lit.
export const KINDS = {
  speech: { lane: "caller", name: "The caller speaks", colour: "caller", shape: "under" },
  reply: { lane: "agent", name: "The agent is heard", colour: "agent", shape: "under" },
  word: { lane: "agent-words", name: "Word", colour: "agent", shape: "word" },
  unheard: { lane: "unheard", name: "Word that nobody heard", colour: "unheard", shape: "hollow" },
  model: { lane: "stages", name: "Until the model's first audio", colour: "warn", shape: "bar" },
  sending: { lane: "stages", name: "Until it was sent", colour: "fault", shape: "bar" },
  playing: { lane: "stages", name: "Until it was heard", colour: "good", shape: "bar" },
  response: { lane: "stages", name: "Response time", colour: "warn", shape: "none" },
  heard: { lane: "stages", name: "Answer heard", colour: "warn", shape: "none" },
  talk_over: { lane: "between", name: "Both spoke", colour: "fault", shape: "bar" },
  silence: { lane: "between", name: "Silence", colour: "quiet", shape: "hollow" },
  hold: { lane: "stops", name: "Hold", colour: "warn", shape: "bar" },
  gap: { lane: "between", name: "Gap", colour: "fault", shape: "bar" },
  barge_in: { lane: "stops", name: "Barge-in", colour: "accent", shape: "bar" },
  tool: { lane: "tools", name: "Tool", colour: "good", shape: "bar" },
  lead: { lane: "lead", name: "Lead", colour: "agent", shape: "slope" },
  mark: { lane: "marks", name: "Mark", colour: "quiet", shape: "line" },
  clear: { lane: "marks", name: "Clear", colour: "accent", shape: "point" },
  stream: { lane: "stream", name: "Stream", colour: "quiet", shape: "hollow" },
  key: { lane: "stream", name: "Key", colour: "caller", shape: "point" },
  wait: { lane: "stream", name: "Sound for a caller who waits", colour: "good", shape: "bar" },
  dial: { lane: "model", name: "Session set up", colour: "warn", shape: "bar" },
  session: { lane: "model", name: "Session", colour: "quiet", shape: "hollow" },
  note: { lane: "model", name: "Note", colour: "ink", shape: "point" },
  resume: { lane: "faults", name: "Resume", colour: "warn", shape: "bar" },
  store_away: { lane: "faults", name: "Store away", colour: "fault", shape: "bar" },
  fault: { lane: "faults", name: "Fault", colour: "fault", shape: "point" },
  cost: { lane: "cost", name: "Cost", colour: "good", shape: "point" },
};

// What the tab of figures says of each kind: its heading, and what it counts.
export const FIGURES = {
  response: ["Response time", "From the end of the caller's speech to the first audio that was sent."],
  heard: ["Answer heard", "From there to when the caller heard the answer."],
  barge_in: ["Barge-ins", "From the caller's first sound to the clear."],
  talk_over: ["Talk-over", "Both sides were heard at once."],
  hold: ["Holds", "The agent stopped, and went on: the caller had said nothing."],
  silence: ["Silences", "Nobody spoke for 2 s or more."],
  gap: ["Gaps", "Twilio had nothing to play in the middle of a reply."],
  tool: ["Tools", "From the call of a tool to its result."],
  dial: ["Sessions set up", "From dialling the model to when it listened."],
  resume: ["Resumes", "From a loss to when it was mended."],
  store_away: ["Store away", "Lines waited in memory."],
  cost: ["Cost", "What was added to the call's cost."],
};

export function laneOf(span, roleOf) {
  if (span.kind === "word" && roleOf(span.turn) === "caller") return "caller-words";
  return KINDS[span.kind].lane;
}
