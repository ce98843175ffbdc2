// Time spent reading: a hidden tab does not count, nor does anything after 60 s without a touch.

const IDLE_MS = 60_000;
const BREAK_MS = 5 * 60_000;
const SIGNS_OF_LIFE = ["pointerdown", "pointermove", "keydown", "wheel"];

/** Counts for the case, for the sitting, and since the last break of five minutes. */
export class Clock {
  caseMs = 0;
  sittingMs = 0;
  sinceBreakMs = 0;

  constructor(now = () => performance.now()) {
    this.now = now;
    this.seen = now();
    /** @type {number | null} */
    this.since = document.hidden ? null : this.seen;
    for (const sign of SIGNS_OF_LIFE) {
      window.addEventListener(sign, () => this.touch(), { passive: true, capture: true });
    }
    document.addEventListener("visibilitychange", () => this.touch());
  }

  /** Another case; what was spent on it before is known from its draft. @param {number} caseMs */
  restart(caseMs) {
    this.touch();
    this.caseMs = caseMs;
  }

  touch() {
    const now = this.now();
    if (now - this.seen >= BREAK_MS) this.rest();
    const activeMs = this.running(now);
    this.caseMs += activeMs;
    this.sittingMs += activeMs;
    this.sinceBreakMs += activeMs;
    this.seen = now;
    this.since = document.hidden ? null : now;
  }

  rest() {
    this.sinceBreakMs = 0;
  }

  /** Only looks: reading the clock is no sign of life. */
  read() {
    return Math.round(this.caseMs + this.running(this.now()));
  }

  /** @param {number} now */
  running(now) {
    return this.since === null ? 0 : Math.min(now - this.since, IDLE_MS);
  }
}
