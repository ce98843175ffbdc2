// Two images side by side; for each criterion one strip under both says which is better.

import { Strip } from "../strips.js";
import { Tile, letterOf } from "../tiles.js";
import { Mode } from "./base.js";

const BOTH_BAD = 0;
const EQUAL = 4;
const STRENGTHS = { 1: "slightly", 2: "clearly", 3: "much" };

/** From much better on the left, 1, over equal, 4, to much better on the right, 7. */
const digitOf = ({ verdict, place, strength }) => {
  if (verdict === "both_bad") return BOTH_BAD;
  if (verdict === "equal") return EQUAL;
  return place === 0 ? EQUAL - strength : EQUAL + strength;
};

const choiceOf = (digit) => {
  if (digit === BOTH_BAD) return { verdict: "both_bad" };
  if (digit === EQUAL) return { verdict: "equal" };
  return { verdict: "better", place: digit < EQUAL ? 0 : 1, strength: Math.abs(digit - EQUAL) };
};

const stepOf = (digit) => {
  const { verdict, place, strength } = choiceOf(digit);
  if (verdict === "both_bad") return { digit, text: "Both are bad", label: "Both bad" };
  if (verdict === "equal") return { digit, text: "Equally good", label: "Equal" };
  const [letter, how] = [letterOf(place), STRENGTHS[strength]];
  return { digit, text: `${letter} is ${how} better`, label: `${letter} ${how}` };
};

const STEPS = [1, 2, 3, 4, 5, 6, 7, BOTH_BAD].map(stepOf);

export class Compare extends Mode {
  verb = "compare";

  subject() {
    return "";
  }

  get columns() {
    return 2;
  }

  /** Of both images at once; a place in a question only says which image has the flags. */
  get questions() {
    return this.case.criteria.map((_, criterion) => ({ place: 0, criterion }));
  }

  isSame(one, other) {
    return one.criterion === other.criterion;
  }

  steps() {
    return STEPS;
  }

  digitAt(answers, { criterion }) {
    const choice = answers.choices[this.case.criteria[criterion].slug];
    return choice && digitOf(choice);
  }

  answer(answers, { criterion }, digit) {
    const choice = digit === undefined ? undefined : choiceOf(digit);
    answers.choose(this.case.criteria[criterion].slug, choice);
  }

  after(at, answers) {
    return { ...super.after(at, answers), place: at.place };
  }

  beside({ place, criterion }, dx, dy) {
    return { place: place + dx, criterion: criterion + dy };
  }

  onImage(place, { criterion }) {
    return { place, criterion };
  }

  build(on) {
    this.strips = this.questions.map((at) => ({ at, strip: this.makeStrip(at, on) }));
    this.tiles = this.case.images.map((_, place) => new Tile(this.case, place, { on, strips: [] }));
    const comparisons = document.createElement("div");
    comparisons.className = "comparisons";
    comparisons.append(...this.strips.map(({ strip }) => strip.element));
    return [...this.tiles.map(({ element }) => element), comparisons];
  }

  makeStrip({ criterion }, on) {
    const { name } = this.case.criteria[criterion];
    return new Strip({
      id: `both-${criterion}`,
      label: `Images A and B: ${name}`,
      name,
      steps: STEPS,
      onChoose: (digit) => on.answer({ criterion }, digit),
      onFocus: () => on.focus({ criterion }),
    });
  }
}
