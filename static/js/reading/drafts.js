// What is kept of a case in this browser until it is submitted, and what was submitted from here.

/** @import { Answers } from "./answers.js" */
/** @import { Clock } from "./clock.js" */
/** @import { Notices } from "./notices.js" */
/** @import { Outbox } from "./outbox.js" */
/** @import { Queue } from "./queue.js" */
/** @import { Given, LoadedCase, Reading } from "./types.js" */

import { forgetDraft, keepDraft, recallDraft } from "./answers.js";

const revisionOf = (/** @type {Reading | null} */ reading) => reading?.revision ?? 0;

export class Drafts {
  /** @param {{outbox: Outbox, queue: Queue, clock: Clock, notices: Notices}} parts */
  constructor({ outbox, queue, clock, notices }) {
    this.outbox = outbox;
    this.queue = queue;
    this.clock = clock;
    this.notices = notices;
  }

  /**
   * What is or will be stored: the server's answer may be older than what was sent from here.
   * @type {(found: LoadedCase) => Given | null}
   */
  storedFor({ slot, reading }) {
    return this.outbox.latestFor(slot) ?? this.queue.sent.get(slot) ?? reading;
  }

  /** A draft that a reading given elsewhere has overtaken is out of date. @param {LoadedCase} found */
  draftFor({ slot, reading, is_locked: isLocked }) {
    if (isLocked) return undefined;
    const draft = recallDraft(slot);
    const isOvertaken = draft?.upon !== undefined && draft.upon !== revisionOf(reading);
    return isOvertaken ? undefined : draft;
  }

  /** @type {(found: LoadedCase, answers: Answers, stored: Given | null) => void} */
  keep({ slot, reading }, answers, stored) {
    if (answers.equals(stored)) return forgetDraft(slot);
    try {
      const isServers = stored === reading; // else its revision is not known yet
      const upon = isServers ? revisionOf(reading) : undefined;
      keepDraft(slot, { ...answers.content(), active_ms: this.clock.read(), upon });
      this.notices.clear("storage");
    } catch {
      this.notices.say("storage", "This browser keeps no drafts: submit before you leave the case.");
    }
  }
}
