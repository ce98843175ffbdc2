// Where on an image a flag is: boxes and polygons, drawn and changed by mouse, finger or keyboard.
//
// Annotorious draws them, on the canvas under the zoom and pan of its plane. It comes to life with
// the first region; an image without one costs nothing.

/** @import { Annotation, Annotator } from "./annotator.js" */
/** @import { Grade, Point, Region, Shape, Size } from "./types.js" */
/** @typedef {Region & {id: string, label: string, grade?: Grade}} ShownRegion */
/** @typedef {{label: string, resolve: (drawn: Region | null) => void, isBox: boolean}} Task What is being drawn. */

import { find, findAs, targetOf } from "../dom.js";
import { annotationOf, annotatorOn } from "./annotator.js";
import { stepOf } from "./arrows.js";
import {
  boundsOf,
  clampTo,
  distanceTo,
  fromSelector,
  isDegenerate,
  moveBy,
  resizeBy,
  startBox,
} from "./shapes.js";

const NEW = "new"; // drawn, and not yet in what the page shows
const CLICK_PX = 3;
const NEAR_PX = 6;
const MESSAGE_MS = 3_000;
const LABEL_HEIGHT_SHARE = 0.06;
const HOW = { box: "drag a box.", polygon: "click its corners, and twice on the last one." };
const KEYS = "Or arrows place a box, Shift resizes it, Enter takes it. Esc cancels.";

export const isDrawing = () => document.querySelector(".frame.drawing") !== null;

export class Regions {
  /** By id. @type {Map<string, ShownRegion>} */
  shown = new Map();
  /** By the id of their region. @type {Map<string, HTMLButtonElement>} */
  labels = new Map();
  listening = new AbortController();
  /** @type {Annotator | undefined} */
  made;
  /** @type {Task | undefined} */
  task;
  /** @type {string | undefined} */
  selected;
  /** @type {PointerEvent | undefined} */
  pressed;
  /** @type {HTMLElement | undefined} */
  hint;
  /** @type {number | undefined} */
  hush;

  /**
   * `onChange` tells of a region that was changed, with null of a removed one.
   * @param {Size & {frame: HTMLElement, onChange: (id: string, region: Region | null) => void}} parts
   */
  constructor({ frame, width, height, onChange }) {
    this.frame = frame;
    this.image = { width, height };
    this.onChange = onChange;
    const { signal } = this.listening;
    frame.addEventListener("pointerdown", (event) => this.press(event), { signal, capture: true });
    frame.addEventListener("pointerup", (event) => this.release(event), { signal });
    frame.addEventListener("click", (event) => this.click(event), { signal });
    window.addEventListener("keydown", (event) => this.typed(event), { signal, capture: true });
  }

  get annotator() {
    return (this.made ??= this.makeAnnotator());
  }

  get layer() {
    return findAs(this.annotator.element, "svg", SVGElement);
  }

  makeAnnotator() {
    const annotator = annotatorOn(find(this.frame, "canvas"));
    annotator.on("createAnnotation", (made) => this.take(made));
    const layer = findAs(annotator.element, "svg", SVGElement);
    layer.tabIndex = -1;
    layer.setAttribute("aria-hidden", "true"); // the labels speak for the regions
    // A drag may end outside of the image, and the other one of a pair is not drawn upon.
    const capture = (/** @type {PointerEvent} */ { pointerId }) => {
      if (this.task) layer.setPointerCapture(pointerId);
    };
    layer.addEventListener("pointerdown", capture, { signal: this.listening.signal });
    return annotator;
  }

  // Showing

  /** Exactly these, each with its name; what is selected stays so where it is still there. @param {ShownRegion[]} regions */
  show(regions) {
    const wanted = new Map(regions.map((region) => [region.id, region]));
    for (const id of this.shown.keys()) if (!wanted.has(id)) this.erase(id);
    for (const region of regions) this.put(region);
  }

  /** @param {ShownRegion} region */
  put(region) {
    const { id, grade } = region;
    const isNew = !this.shown.has(id);
    this.shown.set(id, region);
    const annotation = annotationOf(id, region, grade);
    if (isNew) this.annotator.addAnnotation(annotation);
    else this.annotator.updateAnnotation(annotation);
    this.placeLabel(region);
  }

  /** @param {string} id */
  erase(id) {
    if (!this.shown.delete(id)) return;
    this.annotator.removeAnnotation(id);
    this.tagOf(id)?.remove();
    this.labels.delete(id);
    if (this.selected === id) this.selected = undefined;
  }

  /** @param {ShownRegion} region */
  placeLabel(region) {
    const { id, label, grade } = region;
    const button = this.labels.get(id) ?? this.makeLabel(id);
    const tag = /** @type {HTMLElement} */ (button.parentElement);
    const { minX, minY } = boundsOf(region);
    button.textContent = label;
    button.disabled = id === NEW;
    button.setAttribute("aria-label", `${label}. Arrows move it, with Shift they resize it, Delete removes it.`);
    button.classList.toggle("major", grade === "major");
    tag.classList.toggle("below", minY < LABEL_HEIGHT_SHARE * this.image.height);
    tag.style.setProperty("--left", String(minX));
    tag.style.setProperty("--top", String(minY));
  }

  /** @param {string} id */
  makeLabel(id) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "region-label" });
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("focus", () => this.select(id));
    button.addEventListener("click", () => this.select(id));
    button.addEventListener("keydown", (event) => this.labelTyped(event, id));
    const tag = Object.assign(document.createElement("span"), { className: "region-tag" });
    button.addEventListener("blur", ({ relatedTarget }) => {
      const isElsewhere = relatedTarget instanceof Node && !this.layer.contains(relatedTarget) && !tag.contains(relatedTarget);
      if (isElsewhere) this.select(undefined);
    });
    tag.append(button, this.makeRemover(id));
    this.labels.set(id, button);
    this.frame.append(tag);
    return button;
  }

  /** Beside the label of what is selected; with keys it is Delete on the label. @param {string} id */
  makeRemover(id) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "region-remove", textContent: "×", tabIndex: -1 });
    button.setAttribute("aria-label", "Remove the region");
    button.addEventListener("pointerdown", (event) => event.preventDefault()); // the label keeps the focus
    button.addEventListener("click", () => this.remove(id));
    return button;
  }

  /** @param {string} id */
  tagOf(id) {
    return this.labels.get(id)?.parentElement;
  }

  /** By hand: it is told. @param {string} id */
  remove(id) {
    this.erase(id);
    this.onChange(id, null);
  }

  // Selecting and changing

  /** @param {string | undefined} id */
  select(id) {
    if (this.selected === id) return;
    this.selected = id;
    if (id === undefined) this.annotator.cancelSelected();
    else this.annotator.setSelected(id, true);
    requestAnimationFrame(() => this.hideHandles());
    for (const [other, button] of this.labels) button.setAttribute("aria-pressed", String(other === id));
  }

  /** They are for the mouse; Tab goes from label to label. */
  hideHandles() {
    for (const handle of this.layer.querySelectorAll("[tabindex='0']")) handle.setAttribute("tabindex", "-1");
  }

  /** @param {PointerEvent} event */
  press(event) {
    this.pressed = event;
    // A second finger zooms; what the first one began to draw was not meant.
    if (event.pointerType === "touch" && !event.isPrimary) this.made?.cancelDrawing();
  }

  /** Near the border of a region: inside a large one there is still an image to window. @param {MouseEvent} event */
  click(event) {
    const { clientX, clientY } = this.pressed ?? { clientX: Infinity, clientY: Infinity };
    const way = Math.hypot(event.clientX - clientX, event.clientY - clientY);
    if (this.task || way > CLICK_PX || targetOf(event).closest("button, .a9s-annotationlayer")) return;
    const { left, top, width } = find(this.frame, ".plane").getBoundingClientRect();
    const scale = width / this.image.width;
    /** @type {Point} */
    const point = [(event.clientX - left) / scale, (event.clientY - top) / scale];
    const [nearest] = [...this.shown.values()]
      .map((region) => ({ id: region.id, away: distanceTo(region, point) * scale }))
      .sort((one, other) => one.away - other.away);
    if (nearest?.away <= NEAR_PX) this.labels.get(nearest.id)?.focus();
    else if (this.selected !== undefined) this.select(undefined);
  }

  /** The end of dragging a handle; or of a press that drew nothing. @param {PointerEvent} event */
  release(event) {
    if (this.task && this.layer.contains(targetOf(event))) setTimeout(() => this.refuseNothing());
    if (this.task) return;
    const { selected } = this;
    if (selected !== undefined) setTimeout(() => this.takeChange(selected));
  }

  /** @param {string} id */
  takeChange(id) {
    const annotation = this.annotator.getAnnotationById(id);
    const before = this.shown.get(id);
    if (!annotation || !before) return;
    const { shape, points } = clampTo(this.image, fromSelector(annotation.target.selector));
    if (JSON.stringify(points) === JSON.stringify(before.points)) return;
    this.change(id, isDegenerate({ shape, points }) ? before : { shape, points });
    this.labels.get(id)?.focus();
  }

  /** @type {(id: string, region: Region) => void} */
  change(id, { shape, points }) {
    const before = this.shown.get(id);
    if (!before) return;
    this.put({ ...before, shape, points });
    this.onChange(id, { shape, points });
  }

  /** @type {(event: KeyboardEvent, id: string) => void} */
  labelTyped(event, id) {
    const region = this.shown.get(id);
    if (!region) return;
    const by = stepOf(event, this.image);
    if (event.key === "Delete" || event.key === "Backspace") {
      this.remove(id);
    } else if (event.key === "Escape") {
      this.select(undefined);
      this.labels.get(id)?.blur();
    } else if (by) {
      this.change(id, (event.shiftKey ? resizeBy : moveBy)(this.image, region, by));
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // Drawing

  /**
   * Resolves with {shape, points}, clamped to the image, or with null where it was cancelled or
   * too small. What was drawn stays on screen until `show` says what is there.
   * @type {(shape: Shape, about: {label: string}) => Promise<Region | null>}
   */
  draw(shape, { label }) {
    this.cancel();
    this.select(undefined);
    this.erase(NEW);
    return new Promise((resolve) => {
      this.task = { label, resolve, isBox: shape === "box" };
      this.annotator.setDrawingTool(shape === "box" ? "rectangle" : "polygon");
      this.annotator.setDrawingMode(shape === "box" ? "drag" : "click");
      this.annotator.setDrawingEnabled(true);
      this.frame.classList.add("drawing");
      this.tell(`${label}: ${HOW[shape]}`, KEYS);
    });
  }

  /** Annotorious has made an annotation of its own; it gives way to ours. @param {Annotation} made */
  take({ id, target }) {
    this.annotator.removeAnnotation(id);
    if (this.task) this.finish(fromSelector(target.selector));
  }

  /** @param {Region} drawn */
  finish(drawn) {
    const region = clampTo(this.image, drawn);
    if (isDegenerate(region)) return this.refuse();
    if (!this.task) return;
    const { label, resolve } = this.task;
    this.stop();
    this.put({ id: NEW, label, ...region });
    resolve(region);
  }

  /** A box needs a drag: Annotorious passes over a mere click without a word. */
  refuseNothing() {
    const isMade = this.annotator.getAnnotations().some(({ id }) => !this.shown.has(id));
    if (this.task?.isBox && !isMade) this.refuse();
  }

  refuse() {
    if (!this.task) return;
    const { resolve } = this.task;
    this.stop();
    this.tell("Too small to be a region. Nothing was marked.");
    this.hush = setTimeout(() => this.tell(""), MESSAGE_MS);
    resolve(null);
  }

  cancel() {
    if (!this.task) return;
    const { resolve } = this.task;
    this.stop();
    resolve(null);
  }

  stop() {
    this.task = undefined;
    this.annotator.cancelDrawing();
    this.annotator.setDrawingEnabled(false);
    this.erase(NEW);
    this.frame.classList.remove("drawing");
    this.tell("");
  }

  /** While drawing: Esc cancels, arrows place a box without a mouse, Enter takes it. @param {KeyboardEvent} event */
  typed(event) {
    if (!this.task) return;
    const by = stepOf(event, this.image);
    if (event.key === "Escape") this.cancel();
    else if (event.key === "Enter") this.enter();
    else if (by) this.nudge(by, { resizes: event.shiftKey });
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  enter() {
    const box = this.shown.get(NEW);
    if (box) this.finish({ shape: box.shape, points: box.points });
    else this.placeBox(startBox(this.image));
  }

  /** @type {(by: Point, how: {resizes: boolean}) => void} */
  nudge(by, { resizes }) {
    const box = this.shown.get(NEW) ?? startBox(this.image);
    this.placeBox((resizes ? resizeBy : moveBy)(this.image, box, by));
  }

  /** @param {Region} box */
  placeBox({ shape, points }) {
    this.annotator.cancelDrawing();
    this.put({ id: NEW, label: this.task?.label ?? "", shape, points });
  }

  /** @param {string} text */
  tell(text, keys = "") {
    clearTimeout(this.hush);
    this.hint?.remove();
    if (!text) return;
    this.hint = Object.assign(document.createElement("p"), { className: "region-hint" });
    this.hint.setAttribute("role", "status");
    this.hint.append(text, Object.assign(document.createElement("small"), { textContent: keys }));
    this.frame.append(this.hint);
  }

  destroy() {
    this.cancel();
    this.listening.abort();
    for (const id of this.labels.keys()) this.tagOf(id)?.remove();
    this.hint?.remove();
    this.made?.destroy();
  }
}
