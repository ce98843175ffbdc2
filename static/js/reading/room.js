// The reading room: one case at a time, from its first pixel to its way to the server.

import { Answers, forgetDraft } from "./answers.js";
import { Desk } from "./desk.js";
import { modeOf } from "./modes/index.js";
import { LoggedOut, Refused, Unreachable, askJson } from "./server.js";

const SLOW_MS = 200;
const RETRY_MS = 3_000;
const PAUSED_MS = 15_000;

export class Room extends Desk {
  /** `parts` are the page's, each under its own name; see main.js. */
  constructor(parts) {
    super();
    Object.assign(this, parts);
    this.images = document.getElementById("images");
    this.newlyRead = new Set(); // slots read since the server counted
  }

  // From case to case

  open(slot, given) {
    return this.bring(slot, () => this.cases.get(slot, given));
  }

  /** Show what `find` finds, or the end where it finds none; until then the case before stays. */
  async bring(wanted, find) {
    this.opening = wanted;
    const slow = setTimeout(() => this.chrome.say("Loading…", { canLeave: false }), SLOW_MS);
    try {
      const found = await find();
      if (this.opening !== wanted) return;
      this.chrome.say("");
      if (found) this.show(found);
      else this.finish();
    } catch (error) {
      if (this.opening === wanted) this.waitFor(error, () => this.opening === wanted && this.bring(wanted, find));
    } finally {
      clearTimeout(slow);
    }
  }

  waitFor(error, again) {
    if (error instanceof Unreachable) {
      this.chrome.say(
        "The server cannot be reached. What you read is kept; the next case comes as soon as it can.",
        { canLeave: false },
      );
    } else if (error instanceof LoggedOut) {
      this.chrome.say("Log in again to go on. What you read is kept.");
      this.outbox.trouble = "login";
      this.outbox.tell();
    } else if (error instanceof Refused) {
      this.chrome.say(error.message);
      return;
    } else {
      throw error;
    }
    setTimeout(again, RETRY_MS);
  }

  show(found) {
    this.picker.close();
    this.mode?.destroy();
    const draft = this.draftFor(found);
    this.opening = found.slot;
    this.case = found;
    this.readBefore ??= found.read;
    this.stored = this.storedFor(found);
    this.answers = new Answers(found, draft ?? this.stored);
    this.wanted = false;
    this.isFinished = false;
    this.clock.restart(draft?.active_ms ?? 0);
    this.mode = modeOf(found);
    const elements = this.mode.build(this.reactions());
    const { showsPrompt } = this.mode;
    this.chrome.showCase(found, { showsPrompt, previous: this.queue.previousOf(found) }); // first: it sets the layout that the viewer measures
    this.images.replaceChildren(...elements);
    this.viewer.show(this.mode.tiles.map(({ frame }) => frame), found.pictures);
    this.viewer.showMasks(found.masks);
    if (!found.is_open) this.mode.disable();
    this.mode.tiles.forEach((tile, place) => {
      if (found.pictures[place].trouble) tile.showTrouble(found.pictures[place].trouble);
    });
    history.replaceState(null, "", this.addresses.page(found.slot));
    this.chrome.showProgress(found, { read: this.read, pace: this.sitting.pace });
    this.chrome.showComment(this.answers.comment);
    this.bookmark.show(found);
    this.focus(this.mode.missing(this.answers)[0] ?? { place: 0, criterion: 0 });
    this.queue.enter(found);
    this.tellAbout(found);
  }

  /** Between cases is the time for what is not about this one. */
  tellAbout({ slot, state, break_every_min: everyMin, ...found }) {
    this.notices.clear("break", "elsewhere", "lost", "motion", "paused");
    clearTimeout(this.pauseTimer);
    if (state === "paused") {
      this.notices.say(
        "paused",
        "This study is paused. What you answered is kept; you can go on when its coordinator reopens it.",
      );
      this.pauseTimer = setTimeout(() => this.lookAgain(slot), PAUSED_MS);
    } else if (this.sitting.isBreakDue(everyMin)) {
      const text = `You have been reading for ${this.sitting.minutes} minutes. A short break rests the eyes.`;
      this.clock.rest();
      this.notices.say("break", text, [{ label: "Go on", does: () => this.dismiss("break") }]);
    }
    this.chrome.showPhase(found, { onClose: () => this.focus(this.at) });
  }

  dismiss(kind) {
    this.notices.clear(kind);
    this.focus(this.at);
  }

  /** Whether a paused study is open again; the picture is left as it is until then. */
  async lookAgain(slot) {
    const found = await askJson(this.addresses.slot(slot)).catch(() => undefined);
    if (this.case.slot !== slot || !this.isShown) return;
    if (found === undefined || found.state === "paused") {
      this.pauseTimer = setTimeout(() => this.lookAgain(slot), PAUSED_MS);
    } else {
      this.reopen();
    }
  }

  reopen() {
    this.saveDraft();
    this.cases.drop(this.case.slot);
    return this.open(this.case.slot);
  }

  /** A reading that was not taken; its case is asked for again where it is on screen. */
  takeBack({ slot }) {
    this.queue.takeBack(slot);
    this.newlyRead.delete(slot);
    const isOnScreen = this.case?.slot === slot && (this.isShown || this.isFinished);
    if (isOnScreen) this.open(slot);
  }

  readElsewhere({ slot, isFirst, body }) {
    this.queue.leave(slot, body);
    if (isFirst) this.newlyRead.add(slot);
    if (!this.isShown) return;
    this.chrome.showProgress(this.case, { read: this.read, pace: this.sitting.pace });
    if (slot !== this.case.slot) return;
    this.stored = body;
    this.takeOver(body);
    this.notices.say("elsewhere", "This case was read in another tab.", [
      { label: "Next case", does: () => this.goOn() },
    ]);
  }

  get read() {
    return this.readBefore + this.newlyRead.size;
  }

  /** Not while another case is on its way: keys would act on the one before. */
  get isShown() {
    return Boolean(this.case) && !this.isFinished && this.opening === this.case.slot;
  }

  // Going on

  submit() {
    if (this.isFinished) return this.leave();
    if (!this.isShown) return;
    if (!this.case.is_open || this.isUnchanged) return this.goOn();
    const [first] = this.mode.missing(this.answers);
    if (first) {
      this.wanted = true;
      return this.focus(first);
    }
    this.send();
  }

  openSkip(reason = this.answers.skipReason) {
    if (!this.isWritable) return;
    this.picker.close();
    this.skipping.open({ reasons: this.case.skip_reasons, reason, comment: this.answers.comment });
  }

  /** A skipped case counts as read; to answer it later is a revision like any other. */
  skip(reason, comment) {
    if (!this.isWritable) return;
    this.answers.remember(this.at);
    Object.assign(this.answers, { skipReason: reason, comment });
    if (this.isUnchanged) this.goOn();
    else this.send();
  }

  send() {
    const { slot, position } = this.case;
    const body = {
      ...this.answers.content(),
      active_ms: this.clock.read(),
      display: this.viewer.usage(),
    };
    const isFirst = !this.stored;
    try {
      this.outbox.add({ slot, position, isFirst, body });
    } catch {
      return this.notices.say("storage", "This browser's storage is full or switched off: nothing was sent.");
    }
    forgetDraft(slot);
    this.queue.leave(slot, body);
    if (isFirst) {
      this.newlyRead.add(slot);
      this.sitting.countCase();
    }
    this.stored = body;
    this.refresh();
    this.goOn();
  }

  goOn() {
    const { total, is_pool: isPool } = this.case;
    const { known } = this.queue;
    if (known) return this.open(known);
    if (!isPool && this.read >= total) return this.finish();
    return this.bring(Symbol("next"), async () => {
      const next = await this.queue.next();
      return next && this.cases.get(next);
    });
  }

  finish() {
    this.isFinished = true;
    this.opening = null;
    this.picker.close();
    this.notices.clear("break", "elsewhere", "lost", "paused");
    this.chrome.showProgress(this.case, { read: this.read, pace: this.sitting.pace });
    this.chrome.showSubmit({ label: "Work list", isReady: true, hint: "" });
    this.chrome.say(this.farewell());
  }

  farewell() {
    const { total, state, is_pool: isPool, is_open: isOpen } = this.case;
    if (!isOpen) return `This study is ${state}. Enter leads to your work list.`;
    const done = isPool ? "No case is left for you in this study" : `All ${total} cases are read`;
    return `${done}. Thank you. Enter leads to your work list, Z back to the last case.`;
  }

  leave() {
    location.assign(this.addresses.worklist);
  }

  back() {
    if (this.isFinished) return this.open(this.case.slot);
    const previous = this.isShown && this.queue.previousOf(this.case);
    if (!previous) return;
    this.saveDraft();
    this.open(previous);
  }
}
