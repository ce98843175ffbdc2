// A box drawn on a case's image with the pointer, for a flag that its comment names; "Mark" in the
// flag's form begins it, Escape ends it. What is drawn stands in the form as numbers, which can
// be typed as well.

import { findAll, findAs } from "../dom.js";

const SVG = "http://www.w3.org/2000/svg";

/** @type {HTMLFormElement | null} */
let form = null;
/** @type {{ svg: SVGSVGElement, x: number, y: number, shape: SVGRectElement } | null} */
let drawn = null;

/** @param {HTMLFormElement | null} next */
function mark(next) {
  form?.closest(".reviewed")?.classList.remove("is-marking");
  form = next;
  form?.closest(".reviewed")?.classList.add("is-marking");
}

/** In pixels of the stored image, and not beyond it. @param {SVGSVGElement} svg @param {PointerEvent} event */
function pointOf(svg, event) {
  const matrix = svg.getScreenCTM();
  if (!matrix) return { x: 0, y: 0 };
  const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
  const { width, height } = svg.viewBox.baseVal;
  return { x: Math.min(Math.max(x, 0), width), y: Math.min(Math.max(y, 0), height) };
}

/** @param {PointerEvent} event */
function boxTo(event) {
  if (!drawn) return [];
  const { x, y } = pointOf(drawn.svg, event);
  const across = [drawn.x, x].sort((one, other) => one - other);
  const down = [drawn.y, y].sort((one, other) => one - other);
  return [across[0], down[0], across[1], down[1]].map((side) => Math.round(side * 10) / 10);
}

/** @param {number[]} box */
function show([left, top, right, bottom]) {
  drawn?.shape.setAttribute("x", `${left}`);
  drawn?.shape.setAttribute("y", `${top}`);
  drawn?.shape.setAttribute("width", `${right - left}`);
  drawn?.shape.setAttribute("height", `${bottom - top}`);
}

/** Says in the form where it is, and on which image. @param {number[]} box */
function keep(box) {
  if (!form || !drawn) return;
  findAs(form, "[name=box]", HTMLInputElement).value = box.join(", ");
  const article = form.closest(".reviewed") ?? document;
  const images = [...article.querySelectorAll(".reviewed-images svg")];
  const [choice] = findAll(form, "select[name=image]");
  if (choice instanceof HTMLSelectElement) choice.value = `${images.indexOf(drawn.svg) + 1}`;
}

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element && event.target.closest("[data-mark]");
  if (!(button instanceof HTMLButtonElement)) return;
  mark(form === button.form ? null : button.form);
  form?.closest(".reviewed")?.querySelector(".reviewed-images")?.scrollIntoView({ block: "nearest" });
});

document.addEventListener("pointerdown", (event) => {
  const svg = event.target instanceof Element && event.target.closest(".is-marking .reviewed-images svg");
  if (!(svg instanceof SVGSVGElement) || event.button !== 0) return;
  event.preventDefault();
  for (const old of document.querySelectorAll(".drawn")) old.remove();
  const shape = document.createElementNS(SVG, "rect");
  shape.setAttribute("class", "outline drawn");
  svg.append(shape);
  svg.setPointerCapture(event.pointerId);
  drawn = { svg, ...pointOf(svg, event), shape };
});

document.addEventListener("pointermove", (event) => {
  if (drawn) show(boxTo(event));
});

document.addEventListener("pointerup", (event) => {
  if (!drawn) return;
  const box = boxTo(event);
  if (box[2] > box[0] && box[3] > box[1]) {
    show(box);
    keep(box);
    mark(null);
  } else drawn.shape.remove();
  drawn = null;
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && form) mark(null);
});
