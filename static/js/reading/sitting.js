// One sitting: the pace of reading, and when a break is due. Reloading the page goes on with it.

/** @import { Clock } from "./clock.js" */

import { keep, recall } from "./storage.js";

const KIND = "sitting";
const PAUSE_MS = 5 * 60_000;
const CASES_LEAST = 3;
const HOUR_MS = 3_600_000;

export class Sitting {
  cases = 0;

  /** @param {Clock} clock */
  constructor(clock) {
    this.clock = clock;
    const before = recall(KIND);
    if (before && Date.now() - before.at < PAUSE_MS) this.goOnFrom(before);
  }

  /** @param {{cases: number, sittingMs: number, sinceBreakMs: number}} before */
  goOnFrom({ cases, sittingMs, sinceBreakMs }) {
    this.cases = cases;
    Object.assign(this.clock, { sittingMs, sinceBreakMs });
  }

  countCase() {
    this.cases += 1;
    this.keep();
  }

  /** Throws nothing: where the browser keeps nothing, the pace starts anew, and drafts say so. */
  keep() {
    const { sittingMs, sinceBreakMs } = this.clock;
    try {
      keep(KIND, "", { cases: this.cases, sittingMs, sinceBreakMs, at: Date.now() });
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
    }
  }

  /** Cases an hour of active time; from the first few nothing can be told. */
  get pace() {
    const { sittingMs } = this.clock;
    return this.cases < CASES_LEAST ? undefined : Math.round((this.cases * HOUR_MS) / sittingMs);
  }

  /** `everyMin` 0: never. @param {number} everyMin */
  isBreakDue(everyMin) {
    return everyMin > 0 && this.clock.sinceBreakMs >= everyMin * 60_000;
  }

  get minutes() {
    return Math.round(this.clock.sinceBreakMs / 60_000);
  }
}
