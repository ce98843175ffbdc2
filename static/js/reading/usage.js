// Which windows and zooms a case was read with; stored with the reading.

const LEAST_MS = 500;
const WINDOWS_KEPT = 20;

const rounded = (value) => Math.round(10 * value) / 10;

export class Usage {
  /** `now()` counts milliseconds; the clock of active reading leaves idle minutes out. */
  constructor(now) {
    this.now = now;
  }

  restart(view) {
    this.windows = new Map();
    this.invertedMs = 0;
    this.maxZoom = 0;
    this.at = this.now();
    this.take(view);
  }

  /** The view has changed: what was shown until now is counted. */
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

  take({ level, width, inverted, zoom }) {
    Object.assign(this, { level: rounded(level), width: rounded(width), inverted });
    this.maxZoom = Math.max(this.maxZoom, zoom);
  }

  /** The windows that somebody looked through, the longest first; not those dragged across. */
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
