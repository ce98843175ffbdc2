// The case on screen and the answers to it: focus, answers, flags, drafts.

import { Answers, forgetDraft, keepDraft, recallDraft } from "./answers.js";

const revisionOf = (reading) => reading?.revision ?? 0;

/** The room is a desk that goes from case to case; it says what `isShown`. */
export class Desk {
  /** What is or will be stored: the server's answer may be older than what was sent from here. */
  storedFor({ slot, reading }) {
    return this.outbox.latestFor(slot) ?? this.queue.sent.get(slot) ?? reading;
  }

  /** A draft that a reading given elsewhere has overtaken is out of date. */
  draftFor({ slot, reading }) {
    const draft = recallDraft(slot);
    const isOvertaken = draft?.upon !== undefined && draft.upon !== revisionOf(reading);
    return isOvertaken ? undefined : draft;
  }

  draftElsewhere(slot, draft) {
    if (this.isShown && slot === this.case.slot) this.takeOver(draft ?? this.stored);
  }

  /** Answers given in another tab; whoever types here goes on typing. */
  takeOver(given) {
    this.answers = new Answers(this.case, given);
    this.chrome.showComment(this.answers.comment);
    this.at = this.mode.missing(this.answers)[0] ?? this.at;
    if (document.activeElement?.closest(".strip")) this.focus(this.at);
    else this.refresh();
  }

  // Focus

  reactions() {
    return {
      answer: (at, digit) => this.answerAt({ ...this.at, ...at }, digit),
      focus: (at) => this.hasFocus({ ...this.at, ...at }),
      flag: (place) => this.openFlags(place),
      unflag: (place, flag) => this.unflag(place, flag),
      region: (place, flag, number, region) => this.changeRegion(place, flag, number, region),
      skip: (reason) => this.openSkip(reason),
      tryAgain: () => this.reopen(),
    };
  }

  focus(at) {
    this.at = at;
    this.mode.focus(at);
    this.refresh();
  }

  hasFocus(at) {
    this.at = at;
    this.refresh();
  }

  focusImage(place) {
    if (this.isShown) this.focus(this.mode.onImage(place, this.at));
  }

  move(dx, dy) {
    if (!this.isShown) return;
    const at = this.mode.beside(this.at, dx, dy);
    const isThere = at && this.mode.tiles[at.place] && this.case.criteria[at.criterion];
    if (isThere) this.focus(at);
  }

  // Answers

  answer(digit) {
    this.answerAt(this.at, digit);
  }

  answerAt(at, digit) {
    if (!this.isWritable || !this.mode.hasDigit(at, digit)) return;
    this.at = at;
    this.change(() => this.mode.answer(this.answers, at, digit));
    this.focus(this.mode.after(at, this.answers));
  }

  unanswer() {
    this.change(() => this.mode.answer(this.answers, this.at, undefined));
  }

  toggleNoneAcceptable() {
    if (this.case.allows_none_acceptable) this.change(() => this.answers.toggleNoneAcceptable());
  }

  undo() {
    if (!this.isWritable) return;
    const at = this.answers.undo();
    if (!at) return;
    this.changed();
    this.focus(at);
  }

  openFlags(place = this.at.place) {
    if (!this.isWritable || this.case.flags.length === 0) return;
    this.focusImage(place);
    const given = () => this.answers.flags[place];
    this.picker.open({ tile: this.mode.tiles[place], flags: this.case.flags, given });
  }

  toggleFlag(flag, grade) {
    this.change(() => this.answers.toggleFlag(this.at.place, flag, grade));
  }

  unflag(place, flag) {
    const { grade } = this.answers.flags[place][flag];
    this.change(() => this.answers.toggleFlag(place, flag, grade));
    this.focus({ ...this.at, place });
  }

  /** Draw where a flag is; until that is done, or given up, keys belong to the drawing. */
  async mark(flag, shape) {
    const { answers } = this;
    const { place } = this.at;
    const { name } = this.case.flags.find(({ slug }) => slug === flag);
    const region = await this.mode.tiles[place].regions.draw(shape, { label: name });
    if (this.answers !== answers) return;
    if (region) this.change(() => answers.mark(place, flag, region));
    this.focus(this.at);
  }

  /** A box for the flag of the image in focus; where it has none or several, the list asks which. */
  markAgain() {
    if (!this.isWritable) return;
    const given = Object.keys(this.answers.flags[this.at.place]);
    if (given.length === 1) this.mark(given[0], "box");
    else this.openFlags();
  }

  changeRegion(place, flag, number, region) {
    this.change(() => this.answers.changeRegion(place, flag, number, region));
  }

  setComment(text) {
    if (!this.isWritable) return;
    this.answers.comment = text;
    this.chrome.showHasComment(text);
    this.changed();
  }

  change(does) {
    if (!this.isWritable) return;
    this.answers.remember(this.at);
    does();
    this.changed();
  }

  changed() {
    this.saveDraft();
    this.refresh();
  }

  get isWritable() {
    return this.isShown && this.case.is_open;
  }

  get isUnchanged() {
    return this.answers.equals(this.stored);
  }

  saveDraft() {
    if (!this.isShown) return;
    const { slot } = this.case;
    if (this.isUnchanged) return forgetDraft(slot);
    try {
      const isServers = this.stored === this.case.reading; // else its revision is not known yet
      const upon = isServers ? revisionOf(this.case.reading) : undefined;
      keepDraft(slot, { ...this.answers.content(), active_ms: this.clock.read(), upon });
      this.notices.clear("storage");
    } catch {
      this.notices.say("storage", "This browser keeps no drafts: submit before you leave the case.");
    }
  }

  refresh() {
    this.mode.update(this.answers, { focused: this.at, wanted: this.wanted });
    const criterion = this.case.criteria[this.at.criterion];
    this.chrome.showScale(criterion, {
      steps: this.mode.steps(this.at.criterion),
      digit: this.mode.digitAt(this.answers, this.at),
      where: this.mode.subject(this.at),
    });
    this.chrome.showNone(this.answers.noneAcceptable);
    this.chrome.showSubmit(this.describeSubmit());
  }

  describeSubmit() {
    const missing = this.mode.missing(this.answers).length;
    if (!this.case.is_open) return { label: "Next", isReady: true, hint: `This study is ${this.case.state}` };
    if (missing) return { label: "Submit", isReady: false, hint: `${missing} to ${this.mode.verb}` };
    if (!this.stored) return { label: "Submit", isReady: true, hint: "Ready" };
    if (!this.isUnchanged) return { label: "Submit change", isReady: true, hint: "Changed" };
    return { label: "Next", isReady: true, hint: this.answers.skipReason ? "Skipped" : "Submitted" };
  }
}
