// Time spent reading: a hidden tab does not count, nor does anything after 60 s without a touch.

const IDLE_MS = 60_000;
const SIGNS_OF_LIFE = ["pointerdown", "pointermove", "keydown", "wheel"];

export class Clock {
  constructor(now = () => performance.now()) {
    this.now = now;
    this.restart(0);
    for (const sign of SIGNS_OF_LIFE) {
      window.addEventListener(sign, () => this.touch(), { passive: true, capture: true });
    }
    document.addEventListener("visibilitychange", () => this.touch());
  }

  restart(activeMs) {
    this.activeMs = activeMs;
    this.since = document.hidden ? null : this.now();
  }

  touch() {
    if (this.since !== null) this.activeMs += Math.min(this.now() - this.since, IDLE_MS);
    this.since = document.hidden ? null : this.now();
  }

  read() {
    this.touch();
    return Math.round(this.activeMs);
  }
}
