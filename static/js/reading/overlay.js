// The conditioning masks over an image: each an outline one device pixel wide, a translucent tint
// and a name, in the colour of its kind.

/** @import { Picture } from "./types.js" */
/** @typedef {{kind: string, label: string, outline: string}} Outlined */

import { find } from "../dom.js";

const SVG = "http://www.w3.org/2000/svg";
const FOREGROUND = 128; // a mask has 0 and 255

/**
 * The closed borders around a mask's foreground, along the edges of its pixels, as an SVG path in
 * the picture's pixels. Filled even-odd it covers exactly the foreground.
 * @param {Picture} mask
 */
export function outlineOf({ width, height, grey }) {
  const stride = width + 1;
  const steps = [1, stride, -1, -stride]; // right, down, left, up from one pixel corner to the next
  const ways = borderEdges({ width, height, grey, stride });
  const loops = [];
  for (let start = 0; start < ways.length; start++) {
    while (ways[start]) loops.push(walk(ways, start, steps));
  }
  const pointOf = (/** @type {number} */ at) => `${at % stride} ${Math.floor(at / stride)}`;
  return loops.map((corners) => `M${corners.map(pointOf).join("L")}Z`).join("");
}

/** A bit for each direction in which a border leaves a pixel corner, the foreground on its right. @param {Picture & {stride: number}} mask */
function borderEdges({ width, height, grey, stride }) {
  const ways = new Uint8Array(stride * (height + 1));
  /** @type {(x: number, y: number) => boolean} */
  const isIn = (x, y) =>
    x >= 0 && y >= 0 && x < width && y < height && grey[y * width + x] >= FOREGROUND;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!isIn(x, y)) continue;
      const corner = y * stride + x;
      if (!isIn(x, y - 1)) ways[corner] |= 1;
      if (!isIn(x + 1, y)) ways[corner + 1] |= 2;
      if (!isIn(x, y + 1)) ways[corner + stride + 1] |= 4;
      if (!isIn(x - 1, y)) ways[corner + stride] |= 8;
    }
  }
  return ways;
}

/** The corners of one loop; its edges are used up. @type {(ways: Uint8Array, start: number, steps: number[]) => number[]} */
function walk(ways, start, steps) {
  const corners = [];
  let [at, last] = [start, -1];
  do {
    const way = Math.log2(ways[at] & -ways[at]);
    ways[at] &= ~(1 << way);
    if (way !== last) corners.push(at);
    last = way;
    at += steps[way];
  } while (at !== start);
  return corners;
}

/** Over one frame, which moves the shapes with the picture. */
export class Overlay {
  /**
   * @param {HTMLElement} frame
   * @param {Outlined[]} shapes
   */
  constructor(frame, shapes) {
    this.drawing = document.createElementNS(SVG, "svg");
    this.drawing.setAttribute("class", "mask");
    this.drawing.setAttribute("aria-hidden", "true");
    this.drawing.append(...shapes.map(pathOf));
    this.names = Object.assign(document.createElement("ul"), { className: "mask-names" });
    this.names.setAttribute("aria-label", "Masks");
    this.names.append(...shapes.map(nameOf));
    find(frame, ".plane").after(this.drawing, this.names);
  }

  /** @param {boolean} isShown */
  toggle(isShown) {
    this.drawing.toggleAttribute("hidden", !isShown);
    this.names.hidden = !isShown;
  }

  remove() {
    this.drawing.remove();
    this.names.remove();
  }
}

/** @param {Outlined} shape */
function pathOf({ kind, outline }) {
  const path = document.createElementNS(SVG, "path");
  path.dataset.kind = kind;
  path.setAttribute("d", outline);
  return path;
}

/** @param {Outlined} shape */
function nameOf({ kind, label }) {
  const name = Object.assign(document.createElement("li"), { textContent: label });
  name.dataset.kind = kind;
  return name;
}
