// Two reports of one image, left and right; a strip a criterion says which is better, by points.
//
// The digits 1 to 5 are the five answers of the paper's study; arrows move them by one point.

/** @import { Answers } from "../answers.js" */
/** @import { Question, Step } from "../types.js" */
/** @import { Reactions } from "./base.js" */

import { copyOf, find } from "../../dom.js";
import { Strip } from "../strips.js";
import { Tile } from "../tiles.js";
import { Mode } from "./base.js";

const MOST = 10;
/** By digit, from 1. */
const POINTS = [-10, -5, 0, 5, 10];
/** A cell of a strip is chosen by its points, beyond all digits. */
const FIRST_CELL = 100;

/** @param {number} points */
const wordsOf = (points) =>
  points === 0 ? "Equal" : `${points < 0 ? "Left" : "Right"} better by ${Math.abs(points)}`;

/** @type {Step[]} */
const KEYS = POINTS.map((points, number) => ({ digit: number + 1, text: wordsOf(points) }));
/** @type {Step[]} */
const CELLS = Array.from({ length: 2 * MOST + 1 }, (_, number) => {
  const points = number - MOST;
  return { digit: FIRST_CELL + number, text: wordsOf(points), mark: String(Math.abs(points)) };
});

/** @param {number} digit */
const pointsOf = (digit) => (digit < FIRST_CELL ? POINTS[digit - 1] : digit - FIRST_CELL - MOST);

export class CompareReports extends Mode {
  /** @override */
  verb = "compare";

  /** @override @returns {Question[]} */
  get questions() {
    return this.case.criteria.map((_, criterion) => ({ place: 0, criterion }));
  }

  /** @override */
  steps() {
    return KEYS;
  }

  /** @override @type {(at: Question, digit: number) => boolean} */
  hasDigit(_at, digit) {
    return pointsOf(digit) !== undefined;
  }

  /** @override @type {(answers: Answers, at: Question) => number | undefined} */
  digitAt(answers, { criterion }) {
    const points = answers.points[this.case.criteria[criterion].slug];
    return points === undefined ? undefined : FIRST_CELL + MOST + points;
  }

  /** What the legend marks: the key of these points, where they have one. @override @type {(answers: Answers, at: Question) => number[]} */
  digitsAt(answers, { criterion }) {
    return [1 + POINTS.indexOf(answers.points[this.case.criteria[criterion].slug])];
  }

  /** @override @type {(answers: Answers, at: Question, digit?: number) => void} */
  answer(answers, { criterion }, digit) {
    const points = digit === undefined ? undefined : pointsOf(digit);
    answers.prefer(this.case.criteria[criterion].slug, points);
  }

  /** @override @type {(answers: Answers, at: Question, by: number) => boolean} */
  nudge(answers, { criterion }, by) {
    const { slug } = this.case.criteria[criterion];
    answers.prefer(slug, Math.max(-MOST, Math.min(MOST, (answers.points[slug] ?? 0) + by)));
    return true;
  }

  /** @override @type {(at: Question, dx: number, dy: number) => Question} */
  beside({ place, criterion }, _dx, dy) {
    return { place, criterion: criterion + dy };
  }

  /** @override @type {(place: number, at: Question) => Question} */
  onImage(_place, at) {
    return at;
  }

  /** @override @param {Reactions} on */
  build(on) {
    this.strips = this.questions.map((at) => ({ at, strip: this.makeStrip(at, on) }));
    this.tiles = [new Tile(this.case, 0, { on, strips: [] })];
    const preferences = document.createElement("div");
    preferences.className = "comparisons preferences";
    preferences.append(...this.strips.map(({ strip }) => strip.element));
    return [this.tiles[0].element, ...this.case.texts.map(paperOf), preferences];
  }

  /** @override @type {(at: Question, on: Reactions) => Strip} */
  makeStrip({ criterion }, on) {
    const { name, question } = this.case.criteria[criterion];
    return new Strip({
      id: `reports-${criterion}`,
      label: `Left and right report: ${name}`,
      name,
      steps: CELLS,
      question,
      onChoose: (digit) => on.answer({ criterion }, digit),
      onFocus: () => on.focus({ criterion }),
    });
  }
}

/** @type {(text: string, place: number) => HTMLElement} */
function paperOf(text, place) {
  const paper = copyOf("paper-template");
  const name = place === 0 ? "Left report" : "Right report";
  paper.setAttribute("aria-label", name);
  find(paper, "h2").textContent = name;
  find(paper, "p").textContent = text;
  return paper;
}
