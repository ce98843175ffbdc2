// The case on screen and the answers to it: focus, answers, flags. Every case has a desk of its own.

/** @import { Chrome } from "./chrome.js" */
/** @import { Drafts } from "./drafts.js" */
/** @import { FlagPicker } from "./flags.js" */
/** @import { Mode, Reactions } from "./modes/base.js" */
/** @import { Draft, Given, Grade, LoadedCase, Question, Region, Shape } from "./types.js" */

import { Answers, takesAnswers } from "./answers.js";
import { modeOf } from "./modes/index.js";

export class Desk {
  /** Whether what is missing has been asked for. */
  wanted = false;

  /**
   * @param {LoadedCase} found
   * @param {object} parts
   * @param {Chrome} parts.chrome
   * @param {Drafts} parts.drafts
   * @param {FlagPicker} parts.picker
   * @param {(desk: Desk) => boolean} parts.isShown Not while another case is on its way: keys would act on the one before.
   * @param {(place: number) => void} parts.bringForward An image that another one may cover.
   * @param {Draft} [parts.draft]
   */
  constructor(found, { chrome, drafts, picker, isShown, bringForward, draft }) {
    this.case = found;
    this.chrome = chrome;
    this.drafts = drafts;
    this.picker = picker;
    this.isShownNow = isShown;
    this.bringForward = bringForward;
    this.stored = drafts.storedFor(found);
    this.answers = new Answers(found, draft ?? this.stored);
    /** @type {Mode} */
    this.mode = modeOf(found);
    /** The question in focus. @type {Question} */
    this.at = this.mode.missing(this.answers)[0] ?? { place: 0, criterion: 0 };
  }

  get slot() {
    return this.case.slot;
  }

  get isShown() {
    return this.isShownNow(this);
  }

  get isWritable() {
    return this.isShown && takesAnswers(this.case);
  }

  get isUnchanged() {
    return this.answers.equals(this.stored);
  }

  /**
   * The elements to show; what hands do on them comes here, but for leaving the case.
   * @param {Pick<Reactions, "skip" | "tryAgain" | "submit">} leaving
   */
  build(leaving) {
    return this.mode.build({
      write: (text) => this.setReport(text),
      leave: () => this.refocus(),
      answer: (at, digit) => this.answerAt({ ...this.at, ...at }, digit),
      focus: (at) => this.hasFocus({ ...this.at, ...at }),
      flag: (place) => this.openFlags(place),
      unflag: (place, flag) => this.unflag(place, flag),
      region: (place, flag, number, region) => this.changeRegion(place, flag, number, region),
      ...leaving,
    });
  }

  clear() {
    this.mode.destroy();
  }

  /** Answers given in another tab; whoever types here goes on typing. @param {Given | null} given */
  takeOver(given) {
    this.answers = new Answers(this.case, given);
    this.chrome.showComment(this.answers.comment);
    this.at = this.mode.missing(this.answers)[0] ?? this.at;
    if (document.activeElement?.closest(".strip")) this.focus(this.at);
    else this.refresh();
  }

  // Focus

  /** @param {Question} at */
  focus(at) {
    this.at = at;
    this.bringForward(at.place);
    this.mode.focus(at);
    this.refresh();
  }

  refocus() {
    this.focus(this.at);
  }

  /** @param {Question} at */
  hasFocus(at) {
    this.at = at;
    this.refresh();
  }

  /** @param {number} place */
  focusImage(place) {
    if (this.isShown) this.focus(this.mode.onImage(place, this.at));
  }

  /** @type {(dx: number, dy: number) => void} */
  move(dx, dy) {
    if (!this.isShown) return;
    if (dx && this.nudge(dx)) return;
    const at = this.mode.beside(this.at, dx, dy);
    const isThere = at && this.mode.tiles[at.place] && this.case.criteria[at.criterion];
    if (isThere) this.focus(at);
  }

  // Answers

  /** @param {number} digit */
  answer(digit) {
    this.answerAt(this.at, digit);
  }

  /** @type {(at: Question, digit: number) => void} */
  answerAt(at, digit) {
    if (!this.isWritable || !this.mode.hasDigit(at, digit)) return;
    this.at = at;
    this.change(() => this.mode.answer(this.answers, at, digit));
    this.focus(this.mode.after(at, this.answers));
  }

  /** An answer on a fine scale goes to a side by itself; returns whether it is of that kind. @param {number} by */
  nudge(by) {
    if (!this.isWritable) return false;
    const before = { at: this.at, content: this.answers.content() };
    if (!this.mode.nudge(this.answers, this.at, by)) return false;
    this.answers.rememberAs(before);
    this.changed();
    return true;
  }

  /** Into the text, where there is one to be written. */
  write() {
    if (this.isWritable) this.mode.write();
  }

  unanswer() {
    this.change(() => this.mode.answer(this.answers, this.at, undefined));
  }

  toggleNoneAcceptable() {
    if (this.case.allows_none_acceptable) this.change(() => this.answers.toggleNoneAcceptable());
  }

  undo() {
    if (this.isWritable) this.goTo(this.answers.undo());
  }

  redo() {
    if (this.isWritable) this.goTo(this.answers.redo());
  }

  /** To where something has just been undone or redone. @param {Question | undefined} at */
  goTo(at) {
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

  /** @type {(flag: string, grade: Grade) => void} */
  toggleFlag(flag, grade) {
    this.change(() => this.answers.toggleFlag(this.at.place, flag, grade));
  }

  /** @type {(place: number, flag: string) => void} */
  unflag(place, flag) {
    const { grade } = this.answers.flags[place][flag];
    this.change(() => this.answers.toggleFlag(place, flag, grade));
    this.focus({ ...this.at, place });
  }

  /**
   * Draw where a flag is; until that is done, or given up, keys belong to the drawing.
   * @type {(flag: string, shape: Shape, grade?: Grade) => Promise<void>}
   */
  async mark(flag, shape, grade) {
    const { answers } = this;
    const { place } = this.at;
    const label = this.case.flags.find(({ slug }) => slug === flag)?.name ?? flag;
    const region = await this.mode.tiles[place].regions.draw(shape, { label });
    if (!this.isShown || this.answers !== answers) return;
    if (region) this.change(() => answers.mark(place, flag, region, grade));
    this.focus(this.at);
  }

  /** A box for the flag of the image in focus; where it has none or several, the list asks which. */
  markAgain() {
    if (!this.isWritable) return;
    const given = Object.keys(this.answers.flags[this.at.place]);
    if (given.length === 1) this.mark(given[0], "box");
    else this.openFlags();
  }

  /** @type {(place: number, flag: string, number: number, region: Region | null) => void} */
  changeRegion(place, flag, number, region) {
    this.change(() => this.answers.changeRegion(place, flag, number, region));
  }

  /** @param {string} text */
  setReport(text) {
    if (!this.isWritable) return;
    this.answers.write(text);
    this.changed();
  }

  /** @param {string} text */
  setComment(text) {
    if (!this.isWritable) return;
    this.answers.comment = text;
    this.chrome.showHasComment(text);
    this.changed();
  }

  /** @param {() => void} does */
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

  saveDraft() {
    if (this.isShown) this.drafts.keep(this.case, this.answers, this.stored);
  }

  /** What is still to be answered is asked for; returns whether there is anything. */
  askForMissing() {
    const [first] = this.mode.missing(this.answers);
    if (!first) return false;
    this.wanted = true;
    this.focus(first);
    return true;
  }

  /** A final reading says why. */
  get lacksReason() {
    const { skipReason, comment } = this.answers;
    return this.case.asks_reason && !skipReason && !comment.trim();
  }

  refresh() {
    this.mode.update(this.answers, { focused: this.at, wanted: this.wanted });
    const criterion = this.case.criteria[this.at.criterion];
    this.chrome.showScale(criterion, {
      steps: this.mode.steps(this.at.criterion),
      digits: this.mode.digitsAt(this.answers, this.at),
      where: this.mode.subject(this.at),
    });
    this.chrome.showNone(this.answers.noneAcceptable);
    this.chrome.showSubmit(this.describeSubmit());
  }

  describeSubmit() {
    const missing = this.mode.missing(this.answers).length;
    if (!this.case.is_open) return { label: "Next", isReady: true, hint: `This study is ${this.case.state}` };
    if (this.case.is_locked) return { label: "Next", isReady: true, hint: this.case.gives_feedback ? "Locked: the answer was told" : "Locked: this part is over" };
    if (missing) return { label: "Submit", isReady: false, hint: `${missing} to ${this.mode.verb}` };
    if (this.lacksReason) return { label: "Submit", isReady: false, hint: "Reason to give" };
    if (!this.stored) return { label: "Submit", isReady: true, hint: "Ready" };
    if (!this.isUnchanged) return { label: "Submit change", isReady: true, hint: "Changed" };
    return { label: "Next", isReady: true, hint: this.answers.skipReason ? "Skipped" : "Submitted" };
  }
}
