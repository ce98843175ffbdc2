// What all modes share: images with strips of their own, read from the first to the last.
//
// A question is {place, criterion}: the number of an image and of a criterion. Whatever it
// asks, it is answered by a digit, so that hands and page need not know the mode.

/** @import { Answers } from "../answers.js" */
/** @import { TileReactions } from "../tiles.js" */
/** @import { LoadedCase, Question, Step } from "../types.js" */
/**
 * What hands do at a case; a question may leave out its image where it is about all of them.
 * @typedef {TileReactions & {write: (text: string) => void, leave: () => void, submit: () => void, answer: (at: Partial<Question>, digit: number) => void, focus: (at: Partial<Question>) => void}} Reactions
 */

import { Strip } from "../strips.js";
import { Tile, letterOf, nameOf } from "../tiles.js";

export class Mode {
  verb = "score"; // what is still to be done: "3 to score"

  /** @type {{at: Question, strip: Strip}[]} */
  strips = [];
  /** @type {Tile[]} */
  tiles = [];

  /** @param {LoadedCase} testCase */
  constructor(testCase) {
    this.case = testCase;
  }

  /** What the question is about, where the case has several images. @param {Question} at */
  subject({ place }) {
    return this.case.images.length > 1 ? letterOf(place) : "";
  }

  /** How many images lie beside each other. */
  get columns() {
    return 1;
  }

  /** In reading order. @returns {Question[]} */
  get questions() {
    return this.case.images.flatMap((_, place) =>
      this.case.criteria.map((_, criterion) => ({ place, criterion })),
    );
  }

  /** The scale of a criterion; confidence counts from 1, since it has no zero to speak of. @type {(criterion: number) => Step[]} */
  steps(criterion) {
    const { anchors } = this.case.criteria[criterion];
    return anchors.map((text, value) => ({ digit: value + this.firstDigit(criterion), text }));
  }

  /** @param {number} criterion */
  firstDigit(criterion) {
    return this.case.criteria[criterion].kind === "confidence" ? 1 : 0;
  }

  /** @type {(answers: Answers, at: Question) => number | undefined} */
  digitAt(answers, { place, criterion }) {
    const value = answers.scores[place][this.case.criteria[criterion].slug];
    return value === undefined ? undefined : value + this.firstDigit(criterion);
  }

  /** All digits that are answered; only a question of several answers has more than one. @type {(answers: Answers, at: Question) => number[]} */
  digitsAt(answers, at) {
    const digit = this.digitAt(answers, at);
    return digit === undefined ? [] : [digit];
  }

  /** No digit takes the answer back. @type {(answers: Answers, at: Question, digit?: number) => void} */
  answer(answers, { place, criterion }, digit) {
    const value = digit === undefined ? undefined : digit - this.firstDigit(criterion);
    answers.score(place, this.case.criteria[criterion].slug, value);
  }

  /** @type {(at: Question, digit: number) => boolean} */
  hasDigit({ criterion }, digit) {
    return this.steps(criterion).some((step) => step.digit === digit);
  }

  /** @type {(answers: Answers) => Question[]} */
  missing(answers) {
    if (answers.skipReason) return [];
    return this.questions.filter((at) => this.digitAt(answers, at) === undefined);
  }

  /** The next question in reading order; after the last one, what is still missing. @type {(at: Question, answers: Answers) => Question} */
  after(at, answers) {
    const { questions } = this;
    const here = questions.findIndex((other) => this.isSame(at, other));
    return questions[here + 1] ?? this.missing(answers)[0] ?? at;
  }

  /** @type {(one: Question, other: Question) => boolean} */
  isSame(one, other) {
    return one.place === other.place && one.criterion === other.criterion;
  }

  /** Spatially: across to the next image, down through the criteria to the image below. @type {(at: Question, dx: number, dy: number) => Question | undefined} */
  beside({ place, criterion }, dx, dy) {
    const { columns } = this;
    const column = (place % columns) + dx;
    const last = this.case.criteria.length - 1;
    if (dx) return column >= 0 && column < columns ? { place: place + dx, criterion } : undefined;
    if (criterion + dy >= 0 && criterion + dy <= last) return { place, criterion: criterion + dy };
    return { place: place + dy * columns, criterion: dy > 0 ? 0 : last };
  }

  /** Moves the answer itself a little to a side; returns whether the mode has answers to be moved. @type {(answers: Answers, at: Question, by: number) => boolean} */
  nudge() {
    return false;
  }

  /** To the text, in a mode that has one to be written. */
  write() {}

  /** Where a click on an image leads. @type {(place: number, at: Question) => Question} */
  onImage(place, at) {
    return { place, criterion: place === at.place ? at.criterion : 0 };
  }

  /** Makes tiles and strips; returns the elements to show. `on` is told what hands do. @type {(on: Reactions) => HTMLElement[]} */
  build(on) {
    this.strips = this.questions.map((at) => ({ at, strip: this.makeStrip(at, on) }));
    this.tiles = this.case.images.map((_, place) => {
      const own = this.strips.filter(({ at }) => at.place === place);
      return new Tile(this.case, place, { on, strips: own.map(({ strip }) => strip.element) });
    });
    return this.tiles.map(({ element }) => element);
  }

  /** @type {(at: Question, on: Reactions) => Strip} */
  makeStrip(at, on) {
    const { name } = this.case.criteria[at.criterion];
    return new Strip({
      id: `${at.place}-${at.criterion}`,
      label: `${nameOf(this.case, at.place)}: ${name}`,
      name,
      steps: this.steps(at.criterion),
      onChoose: (digit) => on.answer(at, digit),
      onFocus: () => on.focus(at),
    });
  }

  /** On screen what `answers` say, with the question in focus. @type {(answers: Answers, state: {focused: Question, wanted: boolean}) => void} */
  update(answers, { focused, wanted }) {
    for (const { at, strip } of this.strips) {
      const isFocused = this.isSame(at, focused);
      strip.update(this.digitAt(answers, at), { isFocused, isWanted: wanted });
    }
    for (const tile of this.tiles) {
      tile.update(answers.flags[tile.place], { isFocused: tile.place === focused.place });
    }
  }

  /** @param {Question} at */
  focus(at) {
    this.strips.find((one) => this.isSame(one.at, at))?.strip.focus();
  }

  disable() {
    for (const { strip } of this.strips) strip.disable();
    for (const tile of this.tiles) tile.disable();
  }

  destroy() {
    for (const tile of this.tiles) tile.destroy();
  }
}
