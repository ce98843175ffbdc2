// Which windows and zooms a case was read with; stored with the reading.

/** @import { Display, View, WindowLevel } from "./types.js" */

const LEAST_MS = 500;
const WINDOWS_KEPT = 20;

const rounded = (/** @type {number} */ value) => Math.round(10 * value) / 10;

export class Usage {
  /** By their names. @type {Map<string, WindowLevel & {ms: number}>} */
  windows = new Map();
  invertedMs = 0;
  maxZoom = 0;
  level = 0;
  width = 0;
  inverted = false;
  at = 0;

  /** @param {() => number} now Counts milliseconds; the clock of active reading leaves idle minutes out. */
  constructor(now) {
    this.now = now;
  }

  /** @param {View} view */
  restart(view) {
    this.windows.clear();
    this.invertedMs = 0;
    this.maxZoom = 0;
    this.at = this.now();
    this.take(view);
  }

  /** The view has changed: what was shown until now is counted. @param {View} view */
  note(view) {
    const now = this.now();
    const elapsed = Math.max(0, now - this.at);
    this.at = now;
    const name = `${this.level} ${this.width}`;
    const before = this.windows.get(name)?.ms ?? 0;
    this.windows.set(name, { level: this.level, width: this.width, ms: before + elapsed });
    if (this.inverted) this.invertedMs += elapsed;
    this.take(view);
  }

  /** @param {View} view */
  take({ level, width, inverted, zoom }) {
    Object.assign(this, { level: rounded(level), width: rounded(width), inverted });
    this.maxZoom = Math.max(this.maxZoom, zoom);
  }

  /**
   * The windows that somebody looked through, the longest first; not those dragged across.
   * @type {(view: View) => Display}
   */
  read(view) {
    this.note(view);
    const windows = [...this.windows.values()]
      .filter(({ ms }) => ms >= LEAST_MS)
      .sort((one, other) => other.ms - one.ms)
      .slice(0, WINDOWS_KEPT)
      .map((window) => ({ ...window, ms: Math.round(window.ms) }));
    const maxZoom = Math.round(100 * this.maxZoom) / 100;
    return { windows, max_zoom: maxZoom, inverted_ms: Math.round(this.invertedMs) };
  }
}
