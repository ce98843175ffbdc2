// Two images side by side; for each criterion one strip under both says which is better. The strip
// spells its answers out, so that the legend has nothing to add.

/** @import { Answers } from "../answers.js" */
/** @import { Choice, Question, Step } from "../types.js" */
/** @import { Reactions } from "./base.js" */

import { Strip } from "../strips.js";
import { Tile, letterOf } from "../tiles.js";
import { Mode } from "./base.js";

const BOTH_BAD = 0;
const EQUAL = 4;
/** @type {Record<number, string>} */
const STRENGTHS = { 1: "slightly", 2: "clearly", 3: "much" };

/** From much better on the left, 1, over equal, 4, to much better on the right, 7. @param {Choice} choice */
const digitOf = ({ verdict, place, strength }) => {
  if (verdict === "both_bad") return BOTH_BAD;
  if (verdict === "equal") return EQUAL;
  return EQUAL + (place === 0 ? -1 : 1) * (strength ?? 0);
};

/** @type {(digit: number) => Choice} */
const choiceOf = (digit) => {
  if (digit === BOTH_BAD) return { verdict: "both_bad" };
  if (digit === EQUAL) return { verdict: "equal" };
  return { verdict: "better", place: digit < EQUAL ? 0 : 1, strength: Math.abs(digit - EQUAL) };
};

/** @type {(digit: number) => Step} */
const stepOf = (digit) => {
  const { verdict, place, strength } = choiceOf(digit);
  if (verdict === "both_bad") return { digit, text: "Both are bad", label: "Both bad" };
  if (verdict === "equal") return { digit, text: "Equally good", label: "Equal" };
  const [letter, how] = [letterOf(place ?? 0), STRENGTHS[strength ?? 0]];
  return { digit, text: `${letter} is ${how} better`, label: `${letter} ${how}` };
};

const STEPS = [1, 2, 3, 4, 5, 6, 7, BOTH_BAD].map(stepOf);

export class Compare extends Mode {
  /** @override */
  verb = "compare";

  /** @override */
  subject() {
    return "";
  }

  /** @override */
  get columns() {
    return 2;
  }

  /** Of both images at once; a place in a question only says which image has the flags. @override */
  get questions() {
    return this.case.criteria.map((_, criterion) => ({ place: 0, criterion }));
  }

  /** @override @type {(one: Question, other: Question) => boolean} */
  isSame(one, other) {
    return one.criterion === other.criterion;
  }

  /** @override */
  steps() {
    return STEPS;
  }

  /** @override @type {(answers: Answers, at: Question) => number | undefined} */
  digitAt(answers, { criterion }) {
    const choice = answers.choices[this.case.criteria[criterion].slug];
    return choice && digitOf(choice);
  }

  /** @override @type {(answers: Answers, at: Question, digit?: number) => void} */
  answer(answers, { criterion }, digit) {
    const choice = digit === undefined ? undefined : choiceOf(digit);
    answers.choose(this.case.criteria[criterion].slug, choice);
  }

  /** @override @type {(at: Question, answers: Answers) => Question} */
  after(at, answers) {
    return { ...super.after(at, answers), place: at.place };
  }

  /** @override @type {(at: Question, dx: number, dy: number) => Question} */
  beside({ place, criterion }, dx, dy) {
    return { place: place + dx, criterion: criterion + dy };
  }

  /** @override @type {(place: number, at: Question) => Question} */
  onImage(place, { criterion }) {
    return { place, criterion };
  }

  /** @override @param {Reactions} on */
  build(on) {
    this.strips = this.questions.map((at) => ({ at, strip: this.makeStrip(at, on) }));
    this.tiles = this.case.images.map((_, place) => new Tile(this.case, place, { on, strips: [] }));
    const comparisons = document.createElement("div");
    comparisons.className = "comparisons";
    comparisons.append(...this.strips.map(({ strip }) => strip.element));
    return [...this.tiles.map(({ element }) => element), comparisons];
  }

  /** @override @type {(at: Question, on: Reactions) => Strip} */
  makeStrip({ criterion }, on) {
    const { name, question } = this.case.criteria[criterion];
    return new Strip({
      id: `both-${criterion}`,
      label: `Images A and B: ${name}`,
      name,
      steps: STEPS,
      question,
      onChoose: (digit) => on.answer({ criterion }, digit),
      onFocus: () => on.focus({ criterion }),
    });
  }
}
