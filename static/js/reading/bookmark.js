// The star of the case on screen: what her reader wants to find again. No part of a reading.

import { LoggedOut, Refused, Unreachable, put, remove } from "./server.js";

export class Bookmark {
  constructor({ button, cases, notices, addressOf }) {
    Object.assign(this, { button, cases, notices, addressOf });
  }

  show({ slot, is_bookmarked: isSet }) {
    this.slot = slot;
    this.paint(isSet);
    this.notices.clear("trouble");
  }

  paint(isSet) {
    this.isSet = isSet;
    this.button.setAttribute("aria-pressed", isSet);
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

function reasonOf(error) {
  if (error instanceof Refused) return error.message;
  return error instanceof LoggedOut ? "You are logged out." : "The server cannot be reached.";
}
