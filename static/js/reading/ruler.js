// Lengths on the pictures: in millimetres where it is known how far a picture's pixels are apart,
// else in pixels of the picture, which may have been scaled for the study.
//
// While the ruler is out, the left button and one finger measure, and so do the arrows: they move
// the end of the line, with Shift all of it, with Ctrl by one pixel.

/** @import { Panel } from "./panel.js" */
/** @import { Place, Point } from "./types.js" */
/** @typedef {{from: Place, to: Place}} Line In pixels of the image. */
/** @typedef {{drawing: SVGSVGElement, label: HTMLElement}} Drawn */

import { stepOf } from "./arrows.js";
import { isDrawing } from "./regions.js";

const SVG = "http://www.w3.org/2000/svg";
const HINT = "Drag along it, or use the arrows. Esc puts the ruler away.";

/** `spacing` is how far pixels are apart, across and down. @type {(line: Line, spacing?: [number, number]) => number} */
export const lengthOf = ({ from, to }, [across, down] = [1, 1]) => Math.hypot((to.x - from.x) * across, (to.y - from.y) * down);

/** @type {(line: Line, spacing?: [number, number] | null) => string} */
export const lengthInWords = (line, spacing) => (spacing ? `${lengthOf(line, spacing).toFixed(1)} mm` : `${lengthOf(line).toFixed(0)} px`);

/** @type {(place: Place, by: Point) => Place} */
const movedBy = ({ x, y }, [dx, dy]) => ({ x: x + dx, y: y + dy });

export class Ruler {
  isOn = false;
  /** One a picture. @type {Map<Panel, Line>} */
  lines = new Map();
  /** @type {Map<Panel, Drawn>} */
  drawn = new Map();

  /**
   * `focused` is the picture that arrows measure on; `onChange` is told whether the ruler is out,
   * and what to say about it.
   * @param {{focused: () => Panel | undefined, onChange: (isOn: boolean, hint: string) => void}} parts
   */
  constructor({ focused, onChange }) {
    this.focused = focused;
    this.onChange = onChange;
    window.addEventListener("keydown", (event) => this.typed(event), { capture: true });
  }

  toggle() {
    if (this.isOn) this.putAway();
    else this.take();
  }

  take() {
    this.isOn = true;
    this.onChange(true, HINT);
  }

  putAway() {
    for (const { drawing, label } of this.drawn.values()) {
      drawing.remove();
      label.remove();
    }
    this.lines.clear();
    this.drawn.clear();
    if (!this.isOn) return;
    this.isOn = false;
    this.onChange(false, "");
  }

  /** @type {(panel: Panel, at: Place) => void} */
  start(panel, at) {
    this.measure(panel, { from: at, to: at });
  }

  /** @type {(panel: Panel, at: Place) => void} */
  drag(panel, at) {
    const line = this.lines.get(panel);
    if (line) this.measure(panel, { from: line.from, to: at });
  }

  /** @type {(panel: Panel, line: Line) => void} */
  measure(panel, line) {
    this.lines.set(panel, line);
    const { drawing, label } = this.drawn.get(panel) ?? this.make(panel);
    const path = `M${line.from.x} ${line.from.y}L${line.to.x} ${line.to.y}`;
    for (const part of drawing.children) part.setAttribute("d", path);
    label.textContent = lengthInWords(line, panel.picture.spacing_mm);
    label.style.setProperty("--left", String(line.to.x));
    label.style.setProperty("--top", String(line.to.y));
  }

  /** A light line within a dark one is seen on any ground. @param {Panel} panel */
  make(panel) {
    const drawing = document.createElementNS(SVG, "svg");
    drawing.setAttribute("class", "ruler");
    drawing.setAttribute("aria-hidden", "true");
    drawing.append(...["outer", "inner"].map((name) => {
      const path = document.createElementNS(SVG, "path");
      path.setAttribute("class", name);
      return path;
    }));
    const label = Object.assign(document.createElement("output"), { className: "ruler-label" });
    panel.frame.append(drawing, label);
    const made = { drawing, label };
    this.drawn.set(panel, made);
    return made;
  }

  /** @param {KeyboardEvent} event */
  typed(event) {
    if (!this.isOn || isDrawing() || /** @type {Element} */ (event.target).closest("dialog, input, textarea, select")) return;
    const panel = this.focused();
    const by = panel && stepOf(event, panel.picture);
    if (event.key === "Escape") this.putAway();
    else if (by) this.nudge(panel, by, { isWhole: event.shiftKey });
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @type {(panel: Panel, by: Point, how: {isWhole: boolean}) => void} */
  nudge(panel, by, { isWhole }) {
    const { width, height } = panel.picture;
    const middle = { x: width / 2, y: height / 2 };
    const { from, to } = this.lines.get(panel) ?? { from: middle, to: middle };
    this.measure(panel, { from: isWhole ? movedBy(from, by) : from, to: movedBy(to, by) });
  }
}
