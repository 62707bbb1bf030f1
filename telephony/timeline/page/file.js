// The page as one file: the timeline and the sound stand in it.

import { bytesOf } from "./levels.js";
import { show } from "./main.js";

const timelineText = document.getElementById("timeline").textContent;
const timelineOfFile = JSON.parse(timelineText);
const soundOfFile = {
  rateHz: timelineOfFile.sound.rate_hz,
  ms: timelineOfFile.sound.ms,
  pieceMs: timelineOfFile.sound.piece_ms,
  // The caller's half of a piece comes first. The pieces stand behind this script.
  piece(n) {
    const both = bytesOf(document.getElementById(`sound-${n}`).textContent);
    return { caller: both.subarray(0, both.length / 2), agent: both.subarray(both.length / 2) };
  },
};
// The rows stand behind this script too, and are read when somebody wants to see them.
const rowsOfFile = () => JSON.parse(document.getElementById("rows").textContent);
window.offhook = show(timelineOfFile, soundOfFile, rowsOfFile);
performance.mark("shown"); // tests/benchmarks/bench_timeline.py reads it
