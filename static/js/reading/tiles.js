// One image with its scales, flags and regions: made from the page's templates, kept up to date.

/** @import { FlagKind, GivenFlag, GivenFlags, LoadedCase, Region } from "./types.js" */
/**
 * What hands do at a tile, told to whoever keeps the answers.
 * @typedef {object} TileReactions
 * @property {(place: number) => void} flag
 * @property {(place: number, flag: string) => void} unflag
 * @property {(place: number, flag: string, number: number, region: Region | null) => void} region
 * @property {(reason: string) => void} skip
 * @property {() => void} tryAgain
 */

import { copyOf, find } from "../dom.js";
import { Regions } from "./regions.js";

const LETTERS = "ABCDEF";

export const letterOf = (/** @type {number} */ place) => LETTERS[place];
/** @type {(testCase: Pick<LoadedCase, "images">, place: number) => string} */
export const nameOf = ({ images }, place) =>
  images.length > 1 ? `Image ${letterOf(place)}` : "The image";

/** A region's name among those of its image. @type {(flag: string, number: number) => string} */
const idOf = (flag, number) => `${flag}/${number}`;
const partsOf = (/** @type {string} */ id) => {
  const cut = id.lastIndexOf("/");
  return { flag: id.slice(0, cut), number: Number(id.slice(cut + 1)) };
};

export class Tile {
  /** @type {Regions | undefined} */
  madeRegions;
  shownRegions = "[]";
  isDisabled = false;

  /**
   * @param {LoadedCase} testCase
   * @param {number} place
   * @param {{on: TileReactions, strips: HTMLElement[]}} parts
   */
  constructor(testCase, place, { on, strips }) {
    this.case = testCase;
    this.place = place;
    this.on = on;
    this.element = copyOf("tile-template");
    this.element.setAttribute("aria-label", this.name);
    this.frame = find(this.element, ".frame");
    find(this.element, ".letter").textContent = letterOf(place);
    find(this.element, ".strips").replaceChildren(...strips);
    this.chips = find(this.element, ".chips");
    this.flagButton = find(this.element, ".add-flag");
    this.flagButton.hidden = testCase.flags.length === 0;
    this.flagButton.addEventListener("click", () => on.flag(place));
  }

  get name() {
    return nameOf(this.case, this.place);
  }

  /** Made when first wanted: most images have none, and the next case must not wait for it. */
  get regions() {
    const { width, height } = this.case.images[this.place];
    /** @type {(id: string, region: Region | null) => void} */
    const onChange = (id, region) => {
      const { flag, number } = partsOf(id);
      this.on.region(this.place, flag, number, region);
    };
    return (this.madeRegions ??= new Regions({ frame: this.frame, width, height, onChange }));
  }

  /** @type {(flags: GivenFlags, state: {isFocused: boolean}) => void} */
  update(flags, { isFocused }) {
    this.element.classList.toggle("focused", isFocused);
    const given = this.case.flags.filter(({ slug }) => slug in flags);
    this.chips.replaceChildren(...given.map((flag) => this.makeChip(flag, flags[flag.slug])));
    this.updateRegions(given, flags);
  }

  /** @type {(kind: FlagKind, flag: GivenFlag) => HTMLElement} */
  makeChip({ slug, name }, { grade, regions }) {
    const chip = /** @type {HTMLButtonElement} */ (copyOf("chip-template"));
    const marked = regions.length ? ` ▭${regions.length > 1 ? regions.length : ""}` : "";
    chip.classList.add(grade);
    find(chip, ".chip-name").textContent = name;
    find(chip, ".grade").textContent = `${grade}${marked}`;
    const where = regions.length ? `, marked ${regions.length} times` : "";
    chip.setAttribute("aria-label", `Remove the flag ${name}, ${grade}${where}`);
    chip.disabled = this.isDisabled;
    chip.addEventListener("click", () => this.on.unflag(this.place, slug));
    return chip;
  }

  /** @type {(given: FlagKind[], flags: GivenFlags) => void} */
  updateRegions(given, flags) {
    const shown = given.flatMap(({ slug, name }) =>
      flags[slug].regions.map(({ shape, points }, number) => {
        const { grade } = flags[slug];
        return { id: idOf(slug, number), flag: slug, label: `${name}, ${grade}`, shape, points, grade };
      }),
    );
    const text = JSON.stringify(shown);
    if (text === this.shownRegions) return;
    this.shownRegions = text;
    this.regions.show(shown);
  }

  /** A picture that cannot be had says so in its own frame; the others stay usable. @param {string} reason */
  showTrouble(reason) {
    const trouble = copyOf("trouble-template");
    find(trouble, ".reason").textContent = reason;
    find(trouble, ".skip-it").hidden = this.isDisabled;
    find(trouble, ".skip-it").addEventListener("click", () => this.on.skip("technical"));
    find(trouble, ".try-again").addEventListener("click", () => this.on.tryAgain());
    for (const kind of ["pointerdown", "dblclick"]) {
      trouble.addEventListener(kind, (event) => event.stopPropagation());
    }
    this.element.classList.add("in-trouble");
    this.frame.append(trouble);
  }

  disable() {
    this.isDisabled = true;
    this.flagButton.hidden = true;
  }

  destroy() {
    this.madeRegions?.destroy();
  }
}
