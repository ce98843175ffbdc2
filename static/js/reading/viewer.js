// The pictures of a case under one shared view: window, level, zoom, pan and mask are linked.

/** @import { Tool } from "./hands.js" */
/** @import { Mask, MouseFunction, MouseInput, Picture, Place, WindowLevel } from "./types.js" */

import { Hands } from "./hands.js";
import { Overlay, outlineOf } from "./overlay.js";
import { Panel } from "./panel.js";
import { Usage } from "./usage.js";
import { FULL, LEVEL_RANGE, PRESETS, WIDTH_RANGE, clamp, lookUpTable } from "./window.js";

/** @type {[number, number]} */
const ZOOM_RANGE = [0.5, 16]; // times the scale at which a picture fits its frame
const GREY_PER_PX = 0.5;
const ONE_TO_ONE_WITHIN = 0.001;

/** What of the view may stay from case to case. @typedef {"window" | "zoom" | "invert" | "mask"} Kept */

export class Viewer {
  level = FULL.level;
  width = FULL.width;
  zoom = 1;
  /** What lies in the middle of a frame, in parts of the image. @type {Place} */
  centre = { x: 0.5, y: 0.5 };
  inverted = false;
  maskShown = false;
  /** @type {Panel[]} */
  panels = [];
  /** A picture that is only looked at: it follows the view, and has no place among the others. @type {Panel[]} */
  beside = [];
  /** @type {Overlay[]} */
  overlays = [];
  /** The painting that is asked for. @type {number | undefined} */
  due;

  /**
   * `onChange` shows the figures; `onShow` is told of every new case, `onClick` of a press on an
   * image, `onDouble` of a double click. `mouse` says what a button or the wheel does, `keeps` what
   * stays from case to case; `now` counts the milliseconds that usage is measured in.
   * @param {object} parts
   * @param {(view: Viewer) => void} parts.onChange
   * @param {(place: number) => void} parts.onClick
   * @param {(frames: HTMLElement[]) => void} [parts.onShow]
   * @param {(place: number) => void} [parts.onDouble]
   * @param {(input: MouseInput) => MouseFunction} parts.mouse
   * @param {(what: Kept) => boolean} [parts.keeps]
   * @param {() => number} parts.now
   */
  constructor({ onChange, onClick, onShow = () => {}, onDouble = () => this.reset(), mouse, keeps = keepsInversion, now }) {
    this.onChange = onChange;
    this.onShow = onShow;
    this.keeps = keeps;
    this.hands = new Hands(this, { doesOf: mouse, onPress: onClick, onDouble });
    this.used = new Usage(now);
    this.sizes = new ResizeObserver(() => this.relayout());
    this.used.restart(this);
    this.changed();
  }

  get frames() {
    return this.panels.map(({ frame }) => frame);
  }

  get inSight() {
    return this.panels.filter((panel) => panel.isInSight);
  }

  get hasMask() {
    return this.overlays.length > 0;
  }

  /** @param {boolean} isHeld */
  set spaceHeld(isHeld) {
    this.hands.spaceHeld = isHeld;
  }

  /** @param {Tool | undefined} tool */
  set tool(tool) {
    this.hands.tool = tool;
  }

  get every() {
    return [...this.panels, ...this.beside];
  }

  /** @type {(frames: HTMLElement[], pictures: Picture[], beside?: {frame: HTMLElement, picture: Picture}) => void} */
  show(frames, pictures, beside) {
    this.sizes.disconnect();
    this.removeMasks();
    this.panels = frames.map((frame, place) => new Panel(frame, pictures[place]));
    this.beside = beside ? [new Panel(beside.frame, beside.picture)] : [];
    this.onShow(frames);
    for (const panel of this.every) panel.measure();
    this.startFrom();
    this.paintNow();
    this.used.restart(this);
    this.every.forEach((panel, place) => {
      this.sizes.observe(panel.frame);
      this.hands.listen(panel, place);
    });
  }

  /** What a new case is first seen with: of the view before it, what its reader keeps. */
  startFrom() {
    if (!this.keeps("invert")) this.inverted = false;
    if (!this.keeps("window")) Object.assign(this, FULL);
    if (this.keeps("zoom")) this.replace();
    else this.fit();
    this.repaint();
  }

  relayout() {
    for (const panel of this.every) panel.measure();
    this.replace();
  }

  changed() {
    this.used.note(this);
    this.onChange(this);
  }

  /** {windows: [{level, width, ms}], max_zoom, inverted_ms} since the case came up. */
  usage() {
    return this.used.read(this);
  }

  // Window

  /** At most one painting a frame, however fast the mouse is. */
  repaint() {
    this.due ??= requestAnimationFrame(() => this.paintNow());
    this.changed();
  }

  paintNow() {
    if (this.due !== undefined) cancelAnimationFrame(this.due);
    this.due = undefined;
    const words = Uint32Array.from(lookUpTable(this), (grey) => (0xff000000 | (grey * 0x010101)) >>> 0);
    for (const panel of this.every) panel.paint(words);
  }

  invert() {
    this.inverted = !this.inverted;
    this.repaint();
  }

  /** @param {number} number */
  preset(number) {
    const preset = PRESETS[number - 1];
    if (preset) this.setWindow(preset);
  }

  /** @param {WindowLevel} window */
  setWindow({ level, width }) {
    this.level = clamp(level, LEVEL_RANGE);
    this.width = clamp(width, WIDTH_RANGE);
    this.repaint();
  }

  /** Right widens the window, up brightens, as on a workstation. @type {(dx: number, dy: number) => void} */
  dragWindow(dx, dy) {
    this.setWindow({
      width: this.width + dx * GREY_PER_PX * 2,
      level: this.level + dy * GREY_PER_PX,
    });
  }

  // Zoom and pan

  /** Inverting stays: it is no state that one loses one's way in. */
  reset() {
    Object.assign(this, FULL);
    this.repaint();
    this.fit();
  }

  fit() {
    this.setView({ zoom: 1, centre: { x: 0.5, y: 0.5 } });
  }

  /** One pixel of the image on one pixel of the screen, of which a CSS pixel may have several. */
  oneToOne() {
    const [panel] = this.inSight;
    if (panel) this.zoomAt(panel, panel.middle, zoomOneToOne(panel) / this.zoom);
  }

  get isOneToOne() {
    const [panel] = this.inSight;
    return panel !== undefined && Math.abs(this.zoom / zoomOneToOne(panel) - 1) < ONE_TO_ONE_WITHIN;
  }

  /** @param {number} factor */
  zoomBy(factor) {
    const [panel] = this.inSight;
    if (panel) this.zoomAt(panel, panel.middle, factor);
  }

  /** What lies under `point` (pixels of the frame) stays under it. @type {(panel: Panel, point: Place, factor: number) => void} */
  zoomAt(panel, point, factor) {
    const before = panel.size(this.zoom);
    const off = { x: point.x - panel.middle.x, y: point.y - panel.middle.y };
    const under = {
      x: this.centre.x + off.x / before.width,
      y: this.centre.y + off.y / before.height,
    };
    const zoom = clamp(this.zoom * factor, this.zoomRange(panel));
    const after = panel.size(zoom);
    this.setView({
      zoom,
      centre: { x: under.x - off.x / after.width, y: under.y - off.y / after.height },
    });
  }

  /** 1:1 can be reached whatever the sizes of picture and screen. @type {(panel: Panel) => [number, number]} */
  zoomRange(panel) {
    const [least, most] = ZOOM_RANGE;
    const whole = zoomOneToOne(panel);
    return [Math.min(least, whole), Math.max(most, whole)];
  }

  /** @type {(panel: Panel, dx: number, dy: number) => void} */
  pan(panel, dx, dy) {
    const { width, height } = panel.size(this.zoom);
    const { x, y } = this.centre;
    this.setView({ zoom: this.zoom, centre: { x: x - dx / width, y: y - dy / height } });
  }

  /** @type {(across: number, down: number) => void} */
  panBy(across, down) {
    const [panel] = this.inSight;
    if (panel) this.pan(panel, -across * panel.box.width, -down * panel.box.height);
  }

  /** @param {{zoom: number, centre: Place}} view */
  setView({ zoom, centre }) {
    this.zoom = zoom;
    this.centre = { x: clamp(centre.x, [0, 1]), y: clamp(centre.y, [0, 1]) };
    this.replace();
  }

  replace() {
    for (const panel of this.every) panel.place(this);
    this.changed();
  }

  // Masks

  removeMasks() {
    for (const overlay of this.overlays) overlay.remove();
    this.overlays = [];
  }

  /** They stay hidden until they are asked for, or where the reader keeps them. @param {Mask[]} masks */
  showMasks(masks) {
    this.removeMasks();
    const shapes = masks.map(({ picture, ...mask }) => ({ ...mask, outline: outlineOf(picture) }));
    this.overlays = masks.length ? this.frames.map((frame) => new Overlay(frame, shapes)) : [];
    this.setMaskShown(this.maskShown && this.keeps("mask"));
  }

  toggleMask() {
    if (this.hasMask) this.setMaskShown(!this.maskShown);
  }

  /** @param {boolean} isShown */
  setMaskShown(isShown) {
    this.maskShown = isShown;
    for (const overlay of this.overlays) overlay.toggle(isShown);
    this.onChange(this);
  }
}

const keepsInversion = (/** @type {Kept} */ what) => what === "invert";
const zoomOneToOne = (/** @type {Panel} */ { fit }) => 1 / fit / devicePixelRatio;
