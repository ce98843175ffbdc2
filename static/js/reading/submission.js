// A reading leaves the desk for the outbox, once and for all.

/** @import { Clock } from "./clock.js" */
/** @import { Desk } from "./desk.js" */
/** @import { Notices } from "./notices.js" */
/** @import { Outbox } from "./outbox.js" */
/** @import { Progress } from "./progress.js" */
/** @import { Queue } from "./queue.js" */
/** @import { Sitting } from "./sitting.js" */
/** @import { Viewer } from "./viewer.js" */

import { forgetDraft } from "./answers.js";

export class Submission {
  /** @param {{outbox: Outbox, queue: Queue, clock: Clock, viewer: Viewer, notices: Notices, progress: Progress, sitting: Sitting}} parts */
  constructor({ outbox, queue, clock, viewer, notices, progress, sitting }) {
    this.outbox = outbox;
    this.queue = queue;
    this.clock = clock;
    this.viewer = viewer;
    this.notices = notices;
    this.progress = progress;
    this.sitting = sitting;
  }

  /** Returns whether the browser has it now. @param {Desk} desk */
  send(desk) {
    const { slot, position } = desk.case;
    const body = { ...desk.answers.content(), active_ms: this.clock.read(), display: this.viewer.usage() };
    const isFirst = !desk.stored;
    try {
      this.outbox.add({ slot, position, isFirst, body });
    } catch {
      this.notices.say("storage", "This browser's storage is full or switched off: nothing was sent.");
      return false;
    }
    forgetDraft(slot);
    this.queue.leave(slot, body);
    if (isFirst) {
      this.progress.newlyRead.add(slot);
      this.sitting.countCase();
    }
    desk.stored = body;
    desk.refresh();
    return true;
  }
}
