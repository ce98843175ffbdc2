// The list that `F` opens beside an image: type to find a flag, Enter for minor, Shift+Enter for
// major, and mark where it is in the same trip: with Ctrl in a box, with Alt by its corners.

/** @import { Tile } from "./tiles.js" */
/** @import { FlagKind, GivenFlags, Grade, Shape } from "./types.js" */

import { copyOf, find, findAll, findAs } from "../dom.js";

export class FlagPicker {
  /** @type {FlagKind[]} */
  flags = [];
  /** The flags of the image as they are now. @type {() => GivenFlags} */
  given = () => ({});
  active = 0;

  /**
   * `onToggle` sets a flag or takes it off, `onMark` draws where it is; `onClose` gives the focus back.
   * @param {HTMLElement} element
   * @param {{onToggle: (flag: string, grade: Grade) => void, onMark: (flag: string, shape: Shape, grade?: Grade) => void, onClose: () => void}} on
   */
  constructor(element, { onToggle, onMark, onClose }) {
    this.element = element;
    this.onToggle = onToggle;
    this.onMark = onMark;
    this.onClose = onClose;
    this.filter = findAs(element, "input", HTMLInputElement);
    this.list = find(element, "ul");
    this.title = find(element, "h2");
    this.filter.addEventListener("input", () => this.refresh(0));
    this.filter.addEventListener("keydown", (event) => this.press(event));
    find(this.element, ".close").addEventListener("click", () => this.close());
    document.addEventListener("pointerdown", (event) => {
      if (this.isOpen && !element.contains(/** @type {Node} */ (event.target))) this.close();
    });
  }

  get isOpen() {
    return !this.element.hidden;
  }

  /** @param {{tile: Tile, flags: FlagKind[], given: () => GivenFlags}} about */
  open({ tile, flags, given }) {
    this.flags = flags;
    this.given = given;
    this.title.textContent = `Flags of ${tile.name.replace(/^The/, "the").replace(/^Image/, "image")}`;
    this.filter.value = "";
    this.element.classList.remove("right", "left");
    const { host, side, widthPx } = placeBeside(tile.element);
    host.append(this.element);
    this.element.classList.add(side);
    this.element.style.width = widthPx ? `${widthPx}px` : "";
    this.element.hidden = false;
    this.refresh(0);
    this.filter.focus();
  }

  close() {
    if (!this.isOpen) return;
    this.element.hidden = true;
    this.onClose();
  }

  get found() {
    const words = this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    return this.flags.filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)));
  }

  /** @param {number} active */
  refresh(active) {
    const { found } = this;
    this.active = Math.max(0, Math.min(active, found.length - 1));
    this.list.replaceChildren(...found.map((flag, at) => this.makeRow(flag, at)));
    find(this.element, ".none").hidden = found.length > 0;
    this.list.children[this.active]?.scrollIntoView({ block: "nearest" });
    this.filter.setAttribute("aria-activedescendant", this.list.children[this.active]?.id ?? "");
  }

  /** @type {(flag: FlagKind, at: number) => HTMLElement} */
  makeRow({ slug, name }, at) {
    const row = copyOf("flag-template");
    row.id = `flag-${slug}`;
    find(row, ".flag-name").textContent = name;
    row.setAttribute("aria-selected", String(at === this.active));
    for (const button of findAll(row, "[data-shape]")) {
      const shape = /** @type {Shape} */ (button.dataset.shape);
      button.setAttribute("aria-label", `${name}: mark where, in a ${shape}`);
      button.addEventListener("click", () => this.mark(slug, shape));
    }
    for (const button of findAll(row, "[data-grade]")) {
      const grade = /** @type {Grade} */ (button.dataset.grade);
      button.setAttribute("aria-pressed", String(this.given()[slug]?.grade === grade));
      button.setAttribute("aria-label", `${name}, ${grade}`);
      button.addEventListener("click", () => {
        this.onToggle(slug, grade);
        this.refresh(at);
        this.filter.focus();
      });
    }
    return row;
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    const { key } = event;
    if (key === "ArrowDown") this.refresh(this.active + 1);
    else if (key === "ArrowUp") this.refresh(this.active - 1);
    else if (key === "Enter") this.choose(event);
    else if (key === "Escape" || key === "Tab") this.close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {KeyboardEvent} event */
  choose({ shiftKey, ctrlKey, metaKey, altKey }) {
    const flag = this.found[this.active];
    if (!flag) return;
    const major = shiftKey ? "major" : undefined;
    if (altKey) return this.mark(flag.slug, "polygon", major);
    if (ctrlKey || metaKey) return this.mark(flag.slug, "box", major);
    this.onToggle(flag.slug, major ?? "minor");
    this.close();
  }

  /** Without a grade, that of the flag stays; of a new one it is minor. @type {(slug: string, shape: Shape, grade?: Grade) => void} */
  mark(slug, shape, grade) {
    this.close();
    this.onMark(slug, shape, grade);
  }
}

const LEAST_PX = 240;
const GOOD_PX = 340;

/**
 * Where the list covers nothing of the image that is flagged: over the scales beside it, in the
 * free room of its frame, or over the image beside it; only where there is none of all that, over it.
 * @type {(tile: HTMLElement) => {host: HTMLElement, side: "left" | "right", widthPx?: number}}
 */
function placeBeside(tile) {
  const [frame, panel] = [find(tile, ".frame"), find(tile, ".panel")];
  const [around, scales] = [frame.getBoundingClientRect(), panel.getBoundingClientRect()];
  const picture = find(frame, "canvas").getBoundingClientRect();
  if (scales.left >= around.right && scales.width >= LEAST_PX) return { host: tile, side: "right", widthPx: scales.width };
  const free = around.right - picture.right;
  if (free >= LEAST_PX) return { host: tile, side: "right", widthPx: Math.min(free, GOOD_PX) };
  const beside = findAll(/** @type {HTMLElement} */ (tile.parentElement), ".tile").filter((other) => {
    const { top, width } = other.getBoundingClientRect();
    return other !== tile && width > 0 && top === around.top;
  });
  const [other] = beside;
  if (!other) return { host: tile, side: "right" };
  return { host: other, side: other.getBoundingClientRect().left < around.left ? "left" : "right" };
}
