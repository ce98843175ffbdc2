// One image, and the report of it: a draft that is corrected or accepted, or text from nothing.
//
// Digits say what became of the draft; the legend below shows them, and is pressed by mouse.

/** @import { Answers } from "../answers.js" */
/** @import { LoadedCase, Question, Step } from "../types.js" */
/** @import { Reactions } from "./base.js" */

import { ReportPane } from "../report_pane.js";
import { Tile } from "../tiles.js";
import { Mode } from "./base.js";

const ACCEPTED = 0;

export class WriteReport extends Mode {
  /** @override */
  verb = "answer";

  /** @param {LoadedCase} testCase */
  constructor(testCase) {
    super(testCase);
    this.pane = new ReportPane(testCase);
  }

  /** @override @returns {Question[]} */
  get questions() {
    return [{ place: 0, criterion: 0 }];
  }

  /** Without a draft there is nothing to be said of it. @override @returns {Step[]} */
  steps() {
    if (this.case.texts.length === 0) return [];
    const reasons = this.case.report_reasons.map(({ label }, number) => ({ digit: number + 1, text: label }));
    return [{ digit: ACCEPTED, text: "Accepted as it is" }, ...reasons];
  }

  /** @override @type {(answers: Answers) => number[]} */
  digitsAt(answers) {
    if (!answers.isChanged) return answers.report.isAccepted ? [ACCEPTED] : [];
    return this.case.report_reasons.flatMap(({ slug }, number) => (answers.reasons.has(slug) ? [number + 1] : []));
  }

  /** @override @type {(answers: Answers, at: Question, digit?: number) => void} */
  answer(answers, _at, digit) {
    if (digit === undefined) answers.reasons.clear();
    else if (digit === ACCEPTED) answers.toggleAccepted();
    else if (answers.isChanged) answers.toggleReason(this.case.report_reasons[digit - 1].slug);
  }

  /** @override @type {(answers: Answers) => Question[]} */
  missing(answers) {
    return answers.skipReason || answers.isReportWhole ? [] : this.questions;
  }

  /** There may be more than one reason. @override @type {(at: Question) => Question} */
  after(at) {
    return at;
  }

  /** @override @type {() => undefined} */
  beside() {
    return undefined;
  }

  /** @override @type {(on: Reactions) => HTMLElement[]} */
  build(on) {
    this.tiles = [new Tile(this.case, 0, { on, strips: [] })];
    this.pane.listen(on);
    return [this.tiles[0].element, this.pane.element];
  }

  /** @override @type {(answers: Answers, state: {focused: Question, wanted: boolean}) => void} */
  update(answers, state) {
    super.update(answers, state);
    this.pane.update(answers, { isWanted: state.wanted && this.missing(answers).length > 0 });
  }

  /** @override */
  focus() {
    this.pane.focus();
  }

  /** @override */
  write() {
    this.pane.write();
  }

  /** @override */
  disable() {
    super.disable();
    this.pane.disable();
  }
}
