// Window and level as a 256-entry look-up table: exact for 8-bit pixels.

/** @import { WindowLevel } from "./types.js" */

export const FULL = { level: 128, width: 256 };
export const PRESETS = [
  { name: "full range", ...FULL },
  { name: "lungs", level: 88, width: 150 },
  { name: "mediastinum and bones", level: 176, width: 150 },
  { name: "high contrast", level: 128, width: 96 },
];
/** @type {[number, number]} */
export const WIDTH_RANGE = [2, 512];
/** @type {[number, number]} */
export const LEVEL_RANGE = [-64, 320];

/**
 * The linear window of DICOM PS3.3 C.11.2.1.2.1: grey values 0-255 to grey values 0-255.
 * Level 128 with width 256 leaves every value as it is.
 * @param {WindowLevel & {inverted?: boolean}} window
 */
export function lookUpTable({ level, width, inverted = false }) {
  const table = new Uint8ClampedArray(256);
  for (let grey = 0; grey < 256; grey++) {
    const shown = ((grey - (level - 0.5)) / (width - 1) + 0.5) * 255;
    const clamped = Math.min(255, Math.max(0, Math.round(shown)));
    table[grey] = inverted ? 255 - clamped : clamped;
  }
  return table;
}

/** @type {(value: number, range: readonly [number, number]) => number} */
export const clamp = (value, [least, most]) => Math.min(most, Math.max(least, value));
