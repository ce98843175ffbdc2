// The reading room: from case to case, from the first pixel of one to its way to the server.

/** @import { Asides } from "./asides.js" */
/** @import { Cases } from "./cases.js" */
/** @import { Chrome } from "./chrome.js" */
/** @import { Clock } from "./clock.js" */
/** @import { Drafts } from "./drafts.js" */
/** @import { FlagPicker } from "./flags.js" */
/** @import { FeedbackDialog } from "./feedback.js" */
/** @import { Guideline } from "./guideline.js" */
/** @import { Notices } from "./notices.js" */
/** @import { Outbox } from "./outbox.js" */
/** @import { Progress } from "./progress.js" */
/** @import { Queue } from "./queue.js" */
/** @import { SkipDialog } from "./skipping.js" */
/** @import { Stage } from "./stage.js" */
/** @import { Submission } from "./submission.js" */
/** @import { Draft, LoadedCase, TestCase, Unsent } from "./types.js" */

import { takesAnswers } from "./answers.js";
import { Desk } from "./desk.js";
import { LoggedOut, Refused, Unreachable } from "./server.js";

const SLOW_MS = 200;
const RETRY_MS = 3_000;
const SOON_MS = 200;
const TRIES = 3;

export class Room {
  /** The case on screen; before the first one there is none. @type {Desk | undefined} */
  desk;
  /** What is on its way to the screen, or on it: a slot, or a name for the next one that is found. @type {string | symbol | null} */
  opening = null;
  isFinished = false;

  /**
   * @param {object} parts
   * @param {Cases} parts.cases
   * @param {Outbox} parts.outbox
   * @param {Queue} parts.queue
   * @param {Chrome} parts.chrome
   * @param {Notices} parts.notices
   * @param {Clock} parts.clock
   * @param {Stage} parts.stage
   * @param {Asides} parts.asides
   * @param {Progress} parts.progress
   * @param {Drafts} parts.drafts
   * @param {Submission} parts.submission
   * @param {FlagPicker} parts.picker
   * @param {SkipDialog} parts.skipping
   * @param {FeedbackDialog} parts.feedback
   * @param {Guideline} parts.guideline
   * @param {() => void} parts.askReason
   * @param {string} parts.worklist
   */
  constructor(parts) {
    this.cases = parts.cases;
    this.outbox = parts.outbox;
    this.queue = parts.queue;
    this.chrome = parts.chrome;
    this.notices = parts.notices;
    this.clock = parts.clock;
    this.stage = parts.stage;
    this.asides = parts.asides;
    this.progress = parts.progress;
    this.drafts = parts.drafts;
    this.submission = parts.submission;
    this.picker = parts.picker;
    this.skipping = parts.skipping;
    this.feedback = parts.feedback;
    this.guideline = parts.guideline;
    this.askReason = parts.askReason;
    this.worklist = parts.worklist;
  }

  /** The desk, where its case is on screen and no other is on its way. */
  get present() {
    return this.desk?.isShown ? this.desk : undefined;
  }

  // From case to case

  /** @type {(slot: string, given?: TestCase) => Promise<void>} */
  open(slot, given) {
    return this.bring(slot, () => this.cases.get(slot, given));
  }

  /**
   * Show what `find` finds, or the end where it finds none; until then the case before stays.
   * @type {(wanted: string | symbol, find: () => Promise<LoadedCase | null>, tries?: number) => Promise<void>}
   */
  async bring(wanted, find, tries = 0) {
    this.opening = wanted;
    const slow = setTimeout(() => this.chrome.say("Loading…", { canLeave: false }), SLOW_MS);
    try {
      const found = await find();
      if (this.opening !== wanted) return;
      this.chrome.say("");
      if (found) this.show(found);
      else this.finish();
    } catch (error) {
      const again = () => this.opening === wanted && this.bring(wanted, find, tries + 1);
      if (this.opening === wanted) this.waitFor(error, again, { isNew: tries < TRIES });
    } finally {
      clearTimeout(slow);
    }
  }

  get isSending() {
    return this.outbox.unsent.length > 0 && !this.outbox.trouble;
  }

  /** @type {(error: unknown, again: () => unknown, about: {isNew: boolean}) => void} */
  waitFor(error, again, { isNew }) {
    if (error instanceof Unreachable) {
      this.chrome.say(
        "The server cannot be reached. What you read is kept; the next case comes as soon as it can.",
        { canLeave: false },
      );
    } else if (error instanceof LoggedOut) {
      this.chrome.say("Log in again to go on. What you read is kept.");
      this.outbox.loggedOut();
    } else if (error instanceof Refused && error.code === "not_yet" && (isNew || this.isSending)) {
      setTimeout(again, SOON_MS); // what is to come first is on its way
      return;
    } else if (error instanceof Refused) {
      this.chrome.say(error.message);
      return;
    } else {
      throw error;
    }
    setTimeout(again, RETRY_MS);
  }

  /** @param {LoadedCase} found */
  show(found) {
    this.picker.close();
    this.desk?.clear();
    if (found.phase_note) this.cases.keepOnly(found.slot); // those before are locked now
    const draft = this.drafts.draftFor(found);
    const desk = this.deskFor(found, draft);
    this.desk = desk;
    this.opening = found.slot;
    this.isFinished = false;
    this.clock.restart(draft?.active_ms ?? 0);
    const leaving = {
      skip: (/** @type {string} */ reason) => this.openSkip(reason),
      tryAgain: () => this.reopen(),
      submit: () => this.submit(),
    };
    this.stage.show(desk, { previous: this.queue.previousOf(found), leaving });
    this.progress.show(found);
    desk.refocus();
    scrollTo(0, 0); // on a phone, a case begins with its image, and not with the scale in focus
    this.queue.enter(found);
    this.asides.tell(found);
    this.guideline.prepare(found);
  }

  /** @type {(found: LoadedCase, draft: Draft | undefined) => Desk} */
  deskFor(found, draft) {
    const { chrome, drafts, picker } = this;
    const isShown = (/** @type {Desk} */ desk) =>
      this.desk === desk && !this.isFinished && this.opening === desk.slot;
    const bringForward = (/** @type {number} */ place) => this.stage.enlarger.bringForward(place);
    return new Desk(found, { chrome, drafts, picker, isShown, bringForward, draft });
  }

  reopen() {
    if (!this.desk) return;
    const { slot } = this.desk;
    this.desk.saveDraft();
    this.cases.drop(slot);
    this.open(slot);
  }

  /** A reading that was not taken; its case is asked for again where it is on screen. @param {Unsent} item */
  takeBack({ slot }) {
    this.queue.takeBack(slot);
    this.progress.newlyRead.delete(slot);
    const isOnScreen = this.desk?.slot === slot && (this.desk.isShown || this.isFinished);
    if (isOnScreen) this.open(slot);
  }

  /** @param {Unsent} item */
  readElsewhere({ slot, isFirst, body }) {
    this.queue.leave(slot, body);
    if (isFirst) this.progress.newlyRead.add(slot);
    const { present } = this;
    if (!present) return;
    this.progress.show(present.case);
    if (slot !== present.slot) return;
    present.stored = body;
    present.takeOver(body);
    this.notices.say("elsewhere", "This case was read in another tab.", [
      { label: "Next case", does: () => this.goOn() },
    ]);
  }

  /** @type {(slot: string, draft: Draft | undefined) => void} */
  draftElsewhere(slot, draft) {
    const { present } = this;
    if (present?.slot === slot) present.takeOver(draft ?? present.stored);
  }

  // Going on

  submit() {
    if (this.isFinished) return this.leave();
    const { present } = this;
    if (!present) return;
    if (!takesAnswers(present.case) || present.isUnchanged) this.goOn();
    else if (present.askForMissing()) return;
    else if (present.lacksReason) this.askReason();
    else this.send(present);
  }

  /** @param {string} [reason] */
  openSkip(reason) {
    const { present } = this;
    if (!present?.isWritable || present.case.is_training) return;
    const { skipReason, comment } = present.answers;
    this.picker.close();
    this.skipping.open({ reasons: present.case.skip_reasons, reason: reason ?? skipReason, comment });
  }

  /** A skipped case counts as read; to answer it later is a revision like any other. @type {(reason: string, comment: string) => void} */
  skip(reason, comment) {
    const { present } = this;
    if (!present?.isWritable) return;
    present.answers.remember(present.at);
    Object.assign(present.answers, { skipReason: reason, comment });
    if (present.isUnchanged) this.goOn();
    else this.send(present);
  }

  /** @param {Desk} desk */
  send(desk) {
    if (!this.submission.send(desk)) return;
    if (desk.case.gives_feedback) this.teach(desk);
    else this.goOn();
  }

  /** The next case waits until the reader has seen what the server says to this one. @param {Desk} desk */
  async teach(desk) {
    const answer = await this.outbox.answerTo(desk.slot);
    if (this.desk !== desk) return;
    if (answer?.feedback) {
      this.cases.drop(desk.slot); // it is locked now
      await this.feedback.show(answer.feedback);
    }
    const isOffline = answer === undefined && this.outbox.latestFor(desk.slot);
    if (isOffline && desk.case.is_training) return void setTimeout(() => this.teach(desk), RETRY_MS);
    const isTaken = !this.outbox.refused.some(({ slot }) => slot === desk.slot);
    if (this.desk === desk && isTaken) this.goOn();
  }

  goOn() {
    if (!this.desk) return;
    const { total, is_pool: isPool } = this.desk.case;
    const { known } = this.queue;
    if (known) return this.open(known);
    if (!isPool && this.progress.read >= total) return this.finish();
    return this.bring(Symbol("next"), async () => {
      const next = await this.queue.next();
      return next === null ? null : this.cases.get(next);
    });
  }

  finish() {
    if (!this.desk) return;
    this.isFinished = true;
    this.opening = null;
    this.picker.close();
    this.asides.clear();
    this.progress.show(this.desk.case);
    this.chrome.showSubmit({ label: "Work list", isReady: true, hint: "" });
    this.chrome.say(farewellOf(this.desk.case));
  }

  leave() {
    location.assign(this.worklist);
  }

  back() {
    if (!this.desk) return;
    if (this.isFinished) return this.open(this.desk.slot);
    const { present } = this;
    const previous = present && this.queue.previousOf(present.case);
    if (!previous) return;
    present.saveDraft();
    this.open(previous);
  }
}

/** @param {LoadedCase} found */
function farewellOf({ total, state, is_pool: isPool, is_open: isOpen, is_training: isTraining }) {
  if (isTraining) return "That was the last training case. Enter leads to your work list, which says how it went.";
  if (!isOpen) return `This study is ${state}. Enter leads to your work list.`;
  const done = isPool ? "No case is left for you in this study" : `All ${total} cases are read`;
  return `${done}. Thank you. Enter leads to your work list, Z back to the last case.`;
}
