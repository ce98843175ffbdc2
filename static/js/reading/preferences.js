// A reader's bindings: kept by the server, and in this browser until the server has them.

/** @import { StoredBindings } from "./types.js" */
/** @typedef {{bindings: StoredBindings}} Kept */

import { put } from "./server.js";
import { forget, keep, recall } from "./storage.js";

const ADDRESS = "/api/reading-preferences/";
const KIND = "preferences";
const PAUSE_MS = 600;

export class Preferences {
  /** @type {number | undefined} */
  timer;

  /**
   * @param {Kept} given What the page brought along.
   * @param {{onTrouble: (text: string) => void}} on Says that saving failed, or "".
   */
  constructor(given, { onTrouble }) {
    this.onTrouble = onTrouble;
    /** @type {Kept | undefined} */
    this.unsaved = recall(KIND);
    this.given = given ?? { bindings: {} };
    if (this.unsaved) this.sendSoon();
  }

  /** What could not be saved here before is newer than what the server has. */
  get bindings() {
    return (this.unsaved ?? this.given).bindings;
  }

  /** Once the reader pauses: an editor changes several keys in a row. @param {StoredBindings} bindings */
  save(bindings) {
    this.unsaved = { ...this.given, bindings };
    this.keepHere();
    this.sendSoon();
  }

  sendSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.unsaved && this.send(this.unsaved), PAUSE_MS);
  }

  keepHere() {
    try {
      keep(KIND, undefined, this.unsaved);
    } catch {
      this.onTrouble("This browser keeps nothing: leave the page open until the keys are saved.");
    }
  }

  /** @param {Kept} body */
  async send(body) {
    try {
      await put(ADDRESS, body);
    } catch {
      this.onTrouble("Not saved on the server. Kept in this browser, and tried again next time.");
      return;
    }
    if (body !== this.unsaved) return; // changed meanwhile, and on its way again
    this.unsaved = undefined;
    this.given = body;
    forget(KIND);
    this.onTrouble("");
  }
}
