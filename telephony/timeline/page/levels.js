// How loud a side was, at every zoom: each level has one bar for four of the level below.

const PER_LEVEL = 4;

// The bytes that are written in base64.
export function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

// All levels of a side: `{everyMs, bars}`, the most detailed first.
export function levelsOf(bars, everyMs) {
  const levels = [{ everyMs, bars }];
  while (levels.at(-1).bars.length > 64) {
    const below = levels.at(-1);
    const above = new Uint8Array(Math.ceil(below.bars.length / PER_LEVEL));
    for (let i = 0; i < below.bars.length; i++) {
      const n = (i / PER_LEVEL) | 0;
      if (below.bars[i] > above[n]) above[n] = below.bars[i];
    }
    levels.push({ everyMs: below.everyMs * PER_LEVEL, bars: above });
  }
  return levels;
}

// The least detailed level that still has a bar for each pixel.
export function levelFor(levels, msPerPixel) {
  let found = levels[0];
  for (const level of levels) if (level.everyMs <= msPerPixel) found = level;
  return found;
}

// Draws a side from `fromMs` on, mirrored about the middle of a lane.
export function drawLevels(context, levels, fromMs, msPerPixel, width, top, height) {
  const { everyMs, bars } = levelFor(levels, msPerPixel);
  const middle = top + height / 2;
  const first = Math.max(0, Math.floor(fromMs / everyMs));
  const last = Math.min(bars.length, Math.ceil((fromMs + width * msPerPixel) / everyMs));
  const wide = everyMs / msPerPixel;
  context.beginPath();
  for (let i = first; i < last; i++) {
    const half = Math.max(0.5, ((bars[i] / 255) ** 0.6 * height) / 2);
    context.rect((i * everyMs - fromMs) / msPerPixel, middle - half, Math.max(0.8, wide - 0.2), 2 * half);
  }
  context.fill();
}
