// The answers to one case: scores or choices, flags with their regions, comment. No DOM in here.

/** @import { Choice, Content, Draft, Given, GivenFlags, Grade, Question, Region, TestCase } from "./types.js" */

import { forget, keep, recall } from "./storage.js";

const KIND = "draft";
const UNDO_LEVELS = 100;

const withoutName = (/** @type {Region} */ { shape, points }) => ({ shape, points });

export class Answers {
  /** What undoing goes back to, the newest last. @type {{at: Question, content: Content}[]} */
  past = [];
  /** What was undone and can be had again, the newest last. @type {{at: Question, content: Content}[]} */
  undone = [];
  /** By image and criterion. @type {Record<string, number>[]} */
  scores = [];
  /** @type {GivenFlags[]} */
  flags = [];
  /** By criterion. @type {Record<string, Choice>} */
  choices = {};
  comment = "";
  noneAcceptable = false;
  skipReason = "";

  /**
   * @param {Pick<TestCase, "images" | "criteria" | "flags">} testCase
   * @param {Given | null} [given] What a draft, an unsent reading or the server has for the case.
   */
  constructor(testCase, given) {
    this.case = testCase;
    this.take(given);
  }

  /** @param {Given | null} [given] */
  take(given) {
    this.scores = this.case.images.map(() => ({}));
    this.flags = this.case.images.map(() => ({}));
    this.choices = {};
    this.comment = given?.comment ?? "";
    this.noneAcceptable = given?.none_acceptable ?? false;
    this.skipReason = given?.skip_reason ?? "";
    for (const { place, criterion, value } of given?.scores ?? []) this.scores[place][criterion] = value;
    for (const { criterion, ...choice } of given?.choices ?? []) this.choices[criterion] = choice;
    for (const { place, flag, grade, regions = [] } of given?.flags ?? []) {
      this.flags[place][flag] = { grade, regions: regions.map(withoutName) };
    }
  }

  /**
   * Before a change: what is here now can be had back, with the place `at` where it changes.
   * @param {Question} at
   */
  remember(at) {
    this.past.push({ at, content: this.content() });
    if (this.past.length > UNDO_LEVELS) this.past.shift();
    this.undone = [];
  }

  /** Takes the last change back and returns its place. The comment's field undoes by itself. */
  undo() {
    return this.step(this.past, this.undone);
  }

  /** Makes the last change again that was taken back. */
  redo() {
    return this.step(this.undone, this.past);
  }

  /** @type {(from: typeof this.past, to: typeof this.past) => Question | undefined} */
  step(from, to) {
    const last = from.pop();
    if (!last) return undefined;
    to.push({ at: last.at, content: this.content() });
    this.take({ ...last.content, comment: this.comment });
    return last.at;
  }

  /**
   * No value takes the score back. Answering a skipped case reads it after all.
   * @param {number} place
   * @param {string} slug
   * @param {number} [value]
   */
  score(place, slug, value) {
    if (value === undefined) delete this.scores[place][slug];
    else this.scores[place][slug] = value;
    this.skipReason = "";
  }

  /**
   * @param {string} slug
   * @param {Choice} [choice]
   */
  choose(slug, choice) {
    if (choice === undefined) delete this.choices[slug];
    else this.choices[slug] = choice;
    this.skipReason = "";
  }

  /**
   * The same grade again takes the flag off, with its regions.
   * @param {number} place
   * @param {string} flag
   * @param {Grade} grade
   */
  toggleFlag(place, flag, grade) {
    const given = this.flags[place][flag];
    if (given?.grade === grade) delete this.flags[place][flag];
    else this.flags[place][flag] = { grade, regions: given?.regions ?? [] };
  }

  /**
   * A region of a flag; of one that is not there yet it makes a minor one, unless a grade is given.
   * @param {number} place
   * @param {string} flag
   * @param {Region} region
   * @param {Grade} [grade]
   */
  mark(place, flag, region, grade) {
    const given = this.flags[place][flag];
    const regions = [...(given?.regions ?? []), withoutName(region)];
    this.flags[place][flag] = { grade: grade ?? given?.grade ?? "minor", regions };
  }

  /**
   * Without a region, the one of this number is taken off.
   * @param {number} place
   * @param {string} flag
   * @param {number} number
   * @param {Region | null} region
   */
  changeRegion(place, flag, number, region) {
    this.flags[place][flag]?.regions.splice(number, 1, ...(region ? [withoutName(region)] : []));
  }

  toggleNoneAcceptable() {
    this.noneAcceptable = !this.noneAcceptable;
    this.skipReason = "";
  }

  /** In an order that does not depend on the order of clicking. @returns {Content} */
  content() {
    return {
      scores: this.skipReason ? [] : this.scoreList(),
      choices: this.skipReason ? [] : this.choiceList(),
      flags: this.flagList(),
      comment: this.comment.trim(),
      none_acceptable: !this.skipReason && this.noneAcceptable,
      skip_reason: this.skipReason,
    };
  }

  scoreList() {
    return this.scores.flatMap((of, place) =>
      this.case.criteria
        .filter(({ slug }) => slug in of)
        .map(({ slug }) => ({ place, criterion: slug, value: of[slug] })),
    );
  }

  choiceList() {
    return this.case.criteria
      .filter(({ slug }) => slug in this.choices)
      .map(({ slug }) => {
        const { verdict, place = null, strength = null } = this.choices[slug];
        return { criterion: slug, verdict, place, strength };
      });
  }

  flagList() {
    return this.flags.flatMap((of, place) =>
      this.case.flags
        .filter(({ slug }) => slug in of)
        .map(({ slug }) => {
          const { grade, regions } = of[slug];
          return { place, flag: slug, grade, regions: regions.map(withoutName) };
        }),
    );
  }

  /** @param {Given | null} [given] */
  equals(given) {
    return given != null && sameText(this.content(), new Answers(this.case, given).content());
  }
}

/** Whether the server takes an answer, or a change of it. @param {Pick<TestCase, "is_open" | "is_locked">} found */
export const takesAnswers = ({ is_open: isOpen, is_locked: isLocked }) => isOpen && !isLocked;

/** Corners to a hundredth of a pixel: the server may have put them through another scale. */
const textOf = (/** @type {Content} */ content) =>
  JSON.stringify(content, (name, value) =>
    name === "points" ? value.map((/** @type {number[]} */ point) => point.map((at) => at.toFixed(2))) : value,
  );
/** @type {(one: Content, other: Content) => boolean} */
const sameText = (one, other) => textOf(one) === textOf(other);

/** @type {(slot: string) => Draft | undefined} */
export const recallDraft = (slot) => recall(KIND, slot);
/** @type {(slot: string, draft: Draft) => void} */
export const keepDraft = (slot, draft) => keep(KIND, slot, draft);
/** @type {(slot: string) => void} */
export const forgetDraft = (slot) => forget(KIND, slot);
