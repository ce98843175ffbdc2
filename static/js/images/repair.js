// Regions of a candidate that are to be drawn again: dragged over the image, or written as lines.

import { byId, byIdAs, findAs } from "../dom.js";

const SVG = "http://www.w3.org/2000/svg";
const SMALLEST = 2;

const image = byIdAs("repair-image", SVGSVGElement);
const form = byId("repair");
const shapes = byIdAs("repair-regions", SVGGElement);
const lines = findAs(form, "[name=regions]", HTMLTextAreaElement);
/** Where the pointer went down, in pixels of the image. @type {[number, number] | undefined} */
let start;

/** @type {(event: PointerEvent) => [number, number]} */
const pointOf = (event) => {
  const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(image.getScreenCTM()?.inverse());
  const { width, height } = image.viewBox.baseVal;
  return [Math.min(Math.max(x, 0), width), Math.min(Math.max(y, 0), height)];
};

/** @type {(from: [number, number], to: [number, number]) => string} */
const boxOf = (from, to) => {
  const round = (/** @type {number} */ value) => Math.round(value * 10) / 10;
  const low = [0, 1].map((axis) => round(Math.min(from[axis], to[axis])));
  const high = [0, 1].map((axis) => round(Math.max(from[axis], to[axis])));
  return `${low.join(",")} ${high.join(",")}`;
};

/** The corners of a line as SVG wants them; two are those of a box. @type {(line: string) => string} */
const cornersOf = (line) => {
  const corners = line.trim().split(/\s+/).map((corner) => corner.split(",").map(Number));
  if (corners.some((corner) => corner.length !== 2 || corner.some(Number.isNaN))) return "";
  if (corners.length !== 2) return corners.map((corner) => corner.join(",")).join(" ");
  const [[left, top], [right, bottom]] = corners;
  return `${left},${top} ${right},${top} ${right},${bottom} ${left},${bottom}`;
};

const draw = (/** @type {string[]} */ ...more) => {
  const drawn = [...lines.value.split("\n"), ...more].filter((line) => line.trim()).map(cornersOf);
  shapes.replaceChildren(...drawn.filter(Boolean).map((points) => {
    const polygon = document.createElementNS(SVG, "polygon");
    polygon.setAttribute("points", points);
    return polygon;
  }));
};

image.addEventListener("pointerdown", (event) => {
  start = pointOf(event);
  image.setPointerCapture(event.pointerId);
  event.preventDefault();
});
image.addEventListener("pointermove", (event) => {
  if (start) draw(boxOf(start, pointOf(event)));
});
image.addEventListener("pointerup", (event) => {
  if (!start) return;
  const end = pointOf(event);
  const isBox = Math.min(Math.abs(end[0] - start[0]), Math.abs(end[1] - start[1])) >= SMALLEST;
  if (isBox) lines.value = [...lines.value.split("\n").filter((line) => line.trim()), boxOf(start, end)].join("\n");
  start = undefined;
  draw();
});
image.addEventListener("pointercancel", () => {
  start = undefined;
  draw();
});
lines.addEventListener("input", () => draw());
byId("repair-clear").addEventListener("click", () => {
  lines.value = "";
  draw();
});
draw();
