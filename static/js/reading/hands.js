// Mouse and fingers on the frames, turned into window, pan and zoom.
//
// Buttons and wheel do what the reader's bindings say. One finger windows; two pinch and pan.

/** @import { Panel } from "./panel.js" */
/** @import { MouseFunction, MouseInput, Place, WindowLevel } from "./types.js" */
/** @import { Viewer } from "./viewer.js" */
/** @typedef {{start: (panel: Panel, at: Place) => void, drag: (panel: Panel, at: Place) => void}} Tool */
/** @typedef {{does: MouseFunction | "draw" | "measure" | "pinch", isFinger: boolean, x: number, y: number, moved: number, start: Place, window: WindowLevel, at: number}} Pointer */

import { targetOf } from "../dom.js";

const CLICK_PX = 3;
/** @type {MouseInput[]} */
const BUTTONS = ["left", "middle", "right"];
const WHEEL_LINE_PX = 33;
const SECOND_FINGER_MS = 250;

export class Hands {
  /** By their ids. @type {Map<number, Pointer>} */
  pointers = new Map();
  spaceHeld = false;
  /** What the left button and one finger hold instead of what they do else. @type {Tool | undefined} */
  tool;

  /**
   * @param {Viewer} viewer
   * @param {{doesOf: (input: MouseInput) => MouseFunction, onPress: (place: number) => void, onDouble: (place: number) => void}} on
   */
  constructor(viewer, { doesOf, onPress, onDouble }) {
    this.viewer = viewer;
    this.doesOf = doesOf;
    this.onPress = onPress;
    this.onDouble = onDouble;
  }

  /** Pressing is heard before whatever lies in the frame, so that drawing gets its own alone. @type {(panel: Panel, place: number) => void} */
  listen(panel, place) {
    const { frame } = panel;
    const early = { capture: true };
    frame.addEventListener("pointerdown", (event) => this.press(event, panel, place), early);
    frame.addEventListener("pointermove", (event) => this.move(event, panel), early);
    frame.addEventListener("pointerup", (event) => this.release(event, frame), early);
    frame.addEventListener("pointercancel", (event) => this.release(event, frame), early);
    frame.addEventListener("dblclick", (event) => this.doubleClick(event, frame, place));
    frame.addEventListener("contextmenu", (event) => event.preventDefault());
    frame.addEventListener("wheel", (event) => this.wheel(event, panel), { passive: false });
  }

  /** @type {(event: PointerEvent, panel: Panel, place: number) => void} */
  press(event, panel, place) {
    if (targetOf(event).closest("button") || !BUTTONS[event.button]) return;
    const isFinger = event.pointerType === "touch";
    const does = this.functionOf(event, panel.frame, isFinger);
    const { level, width } = this.viewer;
    this.pointers.set(event.pointerId, {
      ...{ does, isFinger, x: event.clientX, y: event.clientY, moved: 0 },
      ...{ start: panel.pointAt(event), window: { level, width }, at: performance.now() },
    });
    if (isFinger && this.pointers.size === 2) this.startPinch();
    else if (does === "draw") return;
    event.preventDefault(); // no text selection, and no autoscroll on the middle button
    event.stopPropagation();
    panel.frame.setPointerCapture(event.pointerId);
    panel.frame.classList.toggle("panning", does === "pan");
    if (does !== "draw") this.onPress(place);
    if (this.pointers.get(event.pointerId)?.does === "measure") this.tool?.start(panel, panel.imageAt(panel.pointAt(event)));
  }

  /** While a region is drawn, the left button and one finger belong to the drawing. @type {(event: PointerEvent, frame: HTMLElement, isFinger: boolean) => MouseFunction | "draw" | "measure"} */
  functionOf(event, frame, isFinger) {
    if (event.button === 0 && this.spaceHeld) return "pan";
    if (event.button === 0 && isDrawn(event, frame)) return "draw";
    if (event.button === 0 && this.tool) return "measure";
    return isFinger ? "window" : this.doesOf(BUTTONS[event.button]);
  }

  /** The first of two fingers did not mean to window, nor to go on with it afterwards. */
  startPinch() {
    for (const pointer of this.pointers.values()) {
      const isYoung = performance.now() - pointer.at < SECOND_FINGER_MS;
      if (pointer.does === "window" && isYoung) this.viewer.setWindow(pointer.window);
      pointer.does = "pinch";
    }
  }

  /** @type {(event: PointerEvent, panel: Panel) => void} */
  move(event, panel) {
    const pointer = this.pointers.get(event.pointerId);
    if (!pointer) return;
    const [dx, dy] = [event.clientX - pointer.x, event.clientY - pointer.y];
    pointer.moved += Math.abs(dx) + Math.abs(dy);
    if (pointer.does === "measure") return this.tool?.drag(panel, panel.imageAt(panel.pointAt(event)));
    if (pointer.does === "draw" || (pointer.moved <= CLICK_PX && pointer.does !== "pinch")) return;
    const before = { clientX: pointer.x, clientY: pointer.y };
    [pointer.x, pointer.y] = [event.clientX, event.clientY];
    if (pointer.does === "pinch") this.pinch({ event, panel, before, dx, dy });
    else if (pointer.does === "pan") this.viewer.pan(panel, dx, dy);
    else if (pointer.does === "zoom") this.viewer.zoomAt(panel, pointer.start, Math.exp(-0.01 * dy));
    else this.viewer.dragWindow(dx, dy);
  }

  /**
   * What lay in the middle between two fingers stays there; their distance zooms.
   * @param {{event: PointerEvent, panel: Panel, before: {clientX: number, clientY: number}, dx: number, dy: number}} moved
   */
  pinch({ event, panel, before, dx, dy }) {
    const other = [...this.pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (!other) return;
    const spreadFrom = (/** @type {{clientX: number, clientY: number}} */ { clientX, clientY }) => Math.hypot(clientX - other.x, clientY - other.y);
    const middle = panel.pointAt({
      clientX: (before.clientX + other.x) / 2,
      clientY: (before.clientY + other.y) / 2,
    });
    const spread = spreadFrom(before);
    if (spread > 0) this.viewer.zoomAt(panel, middle, spreadFrom(event) / spread);
    this.viewer.pan(panel, dx / 2, dy / 2);
  }

  /** @type {(event: PointerEvent, frame: HTMLElement) => void} */
  release(event, frame) {
    this.pointers.delete(event.pointerId);
    frame.classList.remove("panning");
  }

  /** A double click closes a polygon, and must not lose the view that it was drawn in. @type {(event: MouseEvent, frame: HTMLElement, place: number) => void} */
  doubleClick(event, frame, place) {
    if (!isDrawn(event, frame) && !this.tool && !targetOf(event).closest("button")) this.onDouble(place);
  }

  /** @type {(event: WheelEvent, panel: Panel) => void} */
  wheel(event, panel) {
    event.preventDefault();
    const unit = event.deltaMode ? WHEEL_LINE_PX : 1;
    const [across, down] = [event.deltaX * unit, event.deltaY * unit];
    const does = event.ctrlKey ? "zoom" : this.doesOf("wheel"); // a pinch on a touch pad has Ctrl
    if (does === "zoom") this.viewer.zoomAt(panel, panel.pointAt(event), Math.exp(-0.0015 * down));
    else if (does === "pan") this.viewer.pan(panel, -across, -down);
    else this.viewer.dragWindow(across / 5, down / 5);
  }
}

/** @type {(event: Event, frame: HTMLElement) => boolean} */
const isDrawn = (event, frame) =>
  frame.classList.contains("drawing") || targetOf(event).closest(".a9s-annotationlayer") !== null;
