// One image with its scales, flags and regions: made from the page's templates, kept up to date.

import { Regions } from "./regions.js";

const LETTERS = "ABCDEF";

export const letterOf = (place) => LETTERS[place];
export const nameOf = ({ images }, place) =>
  images.length > 1 ? `Image ${letterOf(place)}` : "The image";

const copyOf = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);

/** A region's name among those of its image. */
const idOf = (flag, number) => `${flag}/${number}`;
const partsOf = (id) => {
  const cut = id.lastIndexOf("/");
  return { flag: id.slice(0, cut), number: Number(id.slice(cut + 1)) };
};

export class Tile {
  /** `on` has `flag(place)`, `unflag(place, flag)`, `region(place, flag, number, region)`, ... */
  constructor(testCase, place, { on, strips }) {
    Object.assign(this, { case: testCase, place, on });
    this.element = copyOf("tile-template");
    this.element.setAttribute("aria-label", this.name);
    this.frame = this.element.querySelector(".frame");
    this.element.querySelector(".letter").textContent = letterOf(place);
    this.element.querySelector(".strips").replaceChildren(...strips);
    this.chips = this.element.querySelector(".chips");
    this.flagButton = this.element.querySelector(".add-flag");
    this.flagButton.hidden = testCase.flags.length === 0;
    this.flagButton.addEventListener("click", () => on.flag(place));
    this.shownRegions = "[]";
  }

  get name() {
    return nameOf(this.case, this.place);
  }

  /** Made when first wanted: most images have none, and the next case must not wait for it. */
  get regions() {
    const { width, height } = this.case.images[this.place];
    const onChange = (id, region) => {
      const { flag, number } = partsOf(id);
      this.on.region(this.place, flag, number, region);
    };
    return (this.madeRegions ??= new Regions({ frame: this.frame, width, height, onChange }));
  }

  update(flags, { isFocused }) {
    this.element.classList.toggle("focused", isFocused);
    const given = this.case.flags.filter(({ slug }) => slug in flags);
    this.chips.replaceChildren(...given.map((flag) => this.makeChip(flag, flags[flag.slug])));
    this.updateRegions(given, flags);
  }

  makeChip({ slug, name }, { grade, regions }) {
    const chip = copyOf("chip-template");
    const marked = regions.length ? ` ▭${regions.length > 1 ? regions.length : ""}` : "";
    chip.classList.add(grade);
    chip.querySelector(".chip-name").textContent = name;
    chip.querySelector(".grade").textContent = `${grade}${marked}`;
    const where = regions.length ? `, marked ${regions.length} times` : "";
    chip.setAttribute("aria-label", `Remove the flag ${name}, ${grade}${where}`);
    chip.disabled = this.isDisabled;
    chip.addEventListener("click", () => this.on.unflag(this.place, slug));
    return chip;
  }

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

  /** A picture that cannot be had says so in its own frame; the others stay usable. */
  showTrouble(reason) {
    const trouble = copyOf("trouble-template");
    trouble.querySelector(".reason").textContent = reason;
    trouble.querySelector(".skip-it").hidden = this.isDisabled;
    trouble.querySelector(".skip-it").addEventListener("click", () => this.on.skip("technical"));
    trouble.querySelector(".try-again").addEventListener("click", () => this.on.tryAgain());
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
