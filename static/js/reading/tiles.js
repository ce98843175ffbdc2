// One image with its scales and flags: made from the page's templates, then kept up to date.

const LETTERS = "ABCDEFGHIJKLMNOP";
const SCORES = [0, 1, 2, 3, 4, 5];

export const letterOf = (place) => LETTERS[place];

const copyOf = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);

export class Tile {
  /** `on` has `score(place, criterion, value)`, `focus(place, criterion)`, `flag`, `unflag`. */
  constructor(testCase, place, on) {
    this.case = testCase;
    this.place = place;
    this.element = copyOf("tile-template");
    this.element.setAttribute("aria-label", this.name);
    this.frame = this.element.querySelector(".frame");
    this.element.querySelector(".letter").textContent = letterOf(place);
    this.strips = testCase.criteria.map((_, criterion) => this.makeStrip(criterion, on));
    this.element.querySelector(".strips").replaceChildren(...this.strips.map(({ element }) => element));
    this.chips = this.element.querySelector(".chips");
    this.flagButton = this.element.querySelector(".add-flag");
    this.flagButton.hidden = testCase.flags.length === 0;
    this.flagButton.addEventListener("click", () => on.flag(place));
    this.onUnflag = (flag) => on.unflag(place, flag);
  }

  get name() {
    return this.case.images.length > 1 ? `Image ${letterOf(this.place)}` : "The image";
  }

  makeStrip(criterion, on) {
    const { name, anchors } = this.case.criteria[criterion];
    const element = copyOf("strip-template");
    element.setAttribute("aria-label", `${this.name}: ${name}`);
    element.querySelector(".strip-name").textContent = name;
    const cells = SCORES.map((value) => {
      const cell = copyOf("cell-template");
      cell.id = `cell-${this.place}-${criterion}-${value}`;
      cell.textContent = value;
      cell.title = anchors[value];
      cell.setAttribute("aria-label", `${value}: ${anchors[value]}`);
      cell.addEventListener("click", () => on.score(this.place, criterion, value));
      return cell;
    });
    element.querySelector(".cells").replaceChildren(...cells);
    element.addEventListener("focus", () => on.focus(this.place, criterion));
    return { element, cells, anchors, chosen: element.querySelector(".chosen") };
  }

  update(answers, { focused, wanted }) {
    this.strips.forEach((strip, criterion) => {
      const value = answers.valueAt(this.place, criterion);
      strip.cells.forEach((cell, score) => cell.setAttribute("aria-checked", score === value));
      strip.chosen.textContent = value === undefined ? "" : strip.anchors[value];
      strip.element.classList.toggle("focused", focused?.criterion === criterion);
      strip.element.classList.toggle("wanted", wanted && value === undefined);
      strip.element.classList.toggle("scored", value !== undefined);
      if (value === undefined) strip.element.removeAttribute("aria-activedescendant");
      else strip.element.setAttribute("aria-activedescendant", strip.cells[value].id);
    });
    this.element.classList.toggle("focused", focused !== undefined);
    this.updateChips(answers.flags[this.place]);
  }

  updateChips(flags) {
    const chips = this.case.flags
      .filter(({ slug }) => slug in flags)
      .map(({ slug, name }) => {
        const chip = copyOf("chip-template");
        chip.classList.add(flags[slug]);
        chip.querySelector(".chip-name").textContent = name;
        chip.querySelector(".grade").textContent = flags[slug];
        chip.setAttribute("aria-label", `Remove the flag ${name}, ${flags[slug]}`);
        chip.addEventListener("click", () => this.onUnflag(slug));
        return chip;
      });
    this.chips.replaceChildren(...chips);
  }

  disable() {
    for (const { cells } of this.strips) for (const cell of cells) cell.disabled = true;
    this.flagButton.hidden = true;
  }

  focusStrip(criterion) {
    this.strips[criterion].element.focus({ preventScroll: false });
  }
}
