// How far the reader has come in the study: what the server counted, and what was read since.

/** @import { Chrome } from "./chrome.js" */
/** @import { Sitting } from "./sitting.js" */
/** @import { LoadedCase } from "./types.js" */

export class Progress {
  /** Slots read since the server counted. @type {Set<string>} */
  newlyRead = new Set();
  /** @type {number | undefined} */
  readBefore;

  /** @param {{chrome: Chrome, sitting: Sitting}} parts */
  constructor({ chrome, sitting }) {
    this.chrome = chrome;
    this.sitting = sitting;
  }

  get read() {
    return (this.readBefore ?? 0) + this.newlyRead.size;
  }

  /** @param {LoadedCase} found */
  show(found) {
    this.readBefore ??= found.read;
    this.chrome.showProgress(found, { read: this.read, pace: this.sitting.pace });
  }
}
