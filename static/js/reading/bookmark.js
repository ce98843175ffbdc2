// The star of the case on screen: what its reader wants to find again. No part of a reading.

/** @import { Cases } from "./cases.js" */
/** @import { Notices } from "./notices.js" */
/** @import { LoadedCase } from "./types.js" */

import { LoggedOut, Refused, Unreachable, put, remove } from "./server.js";

export class Bookmark {
  slot = "";
  isSet = false;

  /** @param {{button: HTMLElement, cases: Cases, notices: Notices, addressOf: (slot: string) => string}} parts */
  constructor({ button, cases, notices, addressOf }) {
    this.button = button;
    this.cases = cases;
    this.notices = notices;
    this.addressOf = addressOf;
  }

  /** @param {Pick<LoadedCase, "slot" | "is_bookmarked">} found */
  show({ slot, is_bookmarked: isSet }) {
    this.slot = slot;
    this.paint(isSet);
    this.notices.clear("trouble");
  }

  /** @param {boolean} isSet */
  paint(isSet) {
    this.isSet = isSet;
    this.button.setAttribute("aria-pressed", String(isSet));
  }

  /** At once on screen, and back again where the server does not get it. */
  async toggle() {
    const { slot, isSet } = this;
    this.paint(!isSet);
    try {
      await (isSet ? remove : put)(this.addressOf(slot));
      this.cases.drop(slot);
      this.notices.clear("trouble");
    } catch (error) {
      if (![LoggedOut, Refused, Unreachable].some((kind) => error instanceof kind)) throw error;
      if (this.slot === slot) this.paint(isSet);
      this.notices.say("trouble", `The bookmark was not kept. ${reasonOf(error)}`, [
        { label: "Dismiss", does: () => this.notices.clear("trouble") },
      ]);
    }
  }
}

/** @param {unknown} error */
function reasonOf(error) {
  if (error instanceof Refused) return error.message;
  return error instanceof LoggedOut ? "You are logged out." : "The server cannot be reached.";
}
