// One picture on a canvas of its own size; the size on screen is a matter of CSS alone.

/** @import { Picture, Place } from "./types.js" */

import { find, findAs } from "../dom.js";

/** The frame's layer that zooms and pans: what lies in it has the picture's pixels for units. @param {HTMLElement} frame */
function planeOf(frame) {
  if (frame.querySelector(".plane")) return find(frame, ".plane");
  const plane = Object.assign(document.createElement("div"), { className: "plane" });
  frame.prepend(plane);
  plane.append(find(frame, "canvas"));
  return plane;
}

export class Panel {
  box = { width: 0, height: 0 };
  /** The scale at which the whole picture just fits its frame. */
  fit = 1;
  /** Pixels of the frame for one of the image, as it is placed now. */
  scale = 1;
  /** Where the image's top left corner is in the frame, as it is placed now. @type {Place} */
  corner = { x: 0, y: 0 };

  /**
   * @param {HTMLElement} frame
   * @param {Picture} picture
   */
  constructor(frame, picture) {
    this.frame = frame;
    this.picture = picture;
    this.plane = planeOf(frame);
    const canvas = findAs(this.plane, "canvas", HTMLCanvasElement);
    [canvas.width, canvas.height] = [picture.width, picture.height];
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    this.shown = new ImageData(picture.width, picture.height);
    this.words = new Uint32Array(this.shown.data.buffer);
    frame.style.setProperty("--native-width", `${picture.width}px`);
    frame.style.setProperty("--native-height", `${picture.height}px`);
  }

  /** `table` has a pixel of the screen, four bytes in one word, for each grey value. @param {Uint32Array} table */
  paint(table) {
    const { grey } = this.picture;
    const { words } = this;
    for (let at = 0; at < grey.length; at++) words[at] = table[grey[at]];
    this.context.putImageData(this.shown, 0, 0);
  }

  measure() {
    const { clientWidth: width, clientHeight: height } = this.frame;
    this.box = { width, height };
    // A frame that is not laid out yet has no size, and a scale of 0 would divide by it.
    this.fit = Math.min(width / this.picture.width, height / this.picture.height) || 1;
    this.frame.style.setProperty("--device-px", `${1 / devicePixelRatio}px`);
  }

  get middle() {
    return { x: this.box.width / 2, y: this.box.height / 2 };
  }

  /** Of a place on screen in pixels of the frame. @param {{clientX: number, clientY: number}} at */
  pointAt({ clientX, clientY }) {
    const { left, top } = this.frame.getBoundingClientRect();
    return { x: clientX - left, y: clientY - top };
  }

  /** What is at a place of the frame, in pixels of the image. @type {(at: Place) => Place} */
  imageAt({ x, y }) {
    return { x: (x - this.corner.x) / this.scale, y: (y - this.corner.y) / this.scale };
  }

  /** Behind an enlarged one a frame has no size. */
  get isInSight() {
    return this.box.width > 0;
  }

  /** @param {number} zoom */
  size(zoom) {
    const scale = this.fit * zoom;
    return { scale, width: this.picture.width * scale, height: this.picture.height * scale };
  }

  /** Everything that has to follow the view follows these three properties. @param {{zoom: number, centre: Place}} view */
  place({ zoom, centre }) {
    const { scale, width, height } = this.size(zoom);
    this.scale = scale;
    this.corner = { x: this.middle.x - centre.x * width, y: this.middle.y - centre.y * height };
    const { style } = this.frame;
    style.setProperty("--x", `${this.corner.x}px`);
    style.setProperty("--y", `${this.corner.y}px`);
    style.setProperty("--scale", String(scale));
  }
}
