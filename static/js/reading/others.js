// Beside a final reading: what the readers said of the case, in a list and as regions on the images.

/** @import { LoadedCase, OtherFlag, OtherReading, Region } from "./types.js" */

import { copyOf, find } from "../dom.js";

const SVG = "http://www.w3.org/2000/svg";
const COLOURS = 6;

export class Others {
  /** @param {HTMLElement} element */
  constructor(element) {
    this.element = element;
  }

  /** The list; a case without one leaves its room to the images. @param {LoadedCase} found */
  list({ others }) {
    this.element.hidden = others.length === 0;
    this.element.replaceChildren(...others.map(sectionOf));
    this.element.scrollTop = 0;
  }

  /** Their regions, each on its image. @type {(found: LoadedCase, frames: HTMLElement[]) => void} */
  draw({ others }, frames) {
    frames.forEach((frame, place) => {
      const drawing = document.createElementNS(SVG, "svg");
      drawing.setAttribute("class", "mask others-regions");
      drawing.setAttribute("aria-hidden", "true");
      drawing.append(...others.flatMap((other) => pathsOf(other, place)));
      if (drawing.hasChildNodes()) find(frame, ".plane").after(drawing);
    });
  }

  toggle() {
    if (this.element.hasChildNodes()) this.element.hidden = !this.element.hidden;
  }
}

const colourOf = (/** @type {OtherReading} */ { number }) => `other-${number % COLOURS}`;

/** @param {OtherReading} other */
function sectionOf(other) {
  const section = copyOf("other-template");
  find(section, ".dot").dataset.kind = colourOf(other);
  find(section, ".name").textContent = other.is_simulated ? `${other.name} (simulated)` : other.name;
  find(section, ".skipped").textContent = other.skip ? `Skipped: ${other.skip}` : "";
  find(section, "dl").replaceChildren(...other.answers.flatMap(lineOf));
  find(section, "ul").replaceChildren(...other.flags.map(flagOf));
  find(section, ".said").textContent = other.comment;
  return section;
}

/** @param {OtherReading["answers"][number]} answer */
function lineOf({ criterion, said }) {
  const term = Object.assign(document.createElement("dt"), { textContent: criterion });
  return [term, Object.assign(document.createElement("dd"), { textContent: said })];
}

/** @param {OtherFlag} flag */
function flagOf({ name, grade, image, regions }) {
  const where = regions.length ? `, ${regions.length} region${regions.length > 1 ? "s" : ""}` : "";
  const on = image ? ` on ${image}` : "";
  return Object.assign(document.createElement("li"), { textContent: `${name}${on}, ${grade}${where}` });
}

/** @type {(other: OtherReading, place: number) => SVGPathElement[]} */
function pathsOf(other, place) {
  const regions = other.flags.filter((flag) => flag.place === place).flatMap((flag) => flag.regions);
  return regions.map((region) => {
    const path = document.createElementNS(SVG, "path");
    path.dataset.kind = colourOf(other);
    path.setAttribute("d", outlineOf(region));
    return path;
  });
}

/** A box has two corners, a polygon all of its own. @param {Region} region */
export function outlineOf({ shape, points }) {
  const [[left, top], [right, bottom]] = points;
  if (shape === "box") return `M${left} ${top}H${right}V${bottom}H${left}Z`;
  return `M${points.map(([x, y]) => `${x} ${y}`).join("L")}Z`;
}
