// Annotorious, as far as it is used: it draws regions and lets hands change them.

/** @import { BoxSelector, PolygonSelector } from "./shapes.js" */
/** @import { Grade, Region } from "./types.js" */
/** @typedef {{id: string, bodies: [], properties: {grade?: Grade}, target: {annotation: string, selector: BoxSelector | PolygonSelector}}} Annotation */
/**
 * What is used of Annotorious.
 * @typedef {object} Annotator
 * @property {HTMLElement} element
 * @property {(kind: "createAnnotation", does: (made: Annotation) => void) => void} on
 * @property {(annotation: Annotation) => void} addAnnotation
 * @property {(annotation: Annotation) => void} updateAnnotation
 * @property {(id: string) => void} removeAnnotation
 * @property {(id: string) => Annotation | undefined} getAnnotationById
 * @property {() => Annotation[]} getAnnotations
 * @property {(id: string, editable: boolean) => void} setSelected
 * @property {() => void} cancelSelected
 * @property {() => void} cancelDrawing
 * @property {(tool: "rectangle" | "polygon") => void} setDrawingTool
 * @property {(mode: "drag" | "click") => void} setDrawingMode
 * @property {(enabled: boolean) => void} setDrawingEnabled
 * @property {() => void} destroy
 */

import { toSelector } from "./shapes.js";

/** @type {Record<Grade, string>} */
const COLOURS = { minor: "#e0b661", major: "#ea8a7f" };

/** @type {(id: string, region: Region, grade?: Grade) => Annotation} */
export const annotationOf = (id, region, grade) => ({
  id,
  bodies: [],
  properties: { grade },
  target: { annotation: id, selector: toSelector(region) },
});

/** No tint: what is in there is still to be judged. @param {Partial<Annotation>} annotation */
const styleOf = ({ properties: { grade } = {} }) => ({ stroke: grade ? COLOURS[grade] : "#ffffff" });

/** @type {(canvas: HTMLElement) => Annotator} */
export const annotatorOn = (canvas) =>
  /** @type {any} */ (window).Annotorious.createImageAnnotator(canvas, {
    drawingEnabled: false,
    theme: "light",
    style: styleOf,
    userSelectAction: "NONE", // what is selected is decided by us, since dragging means the window
  });
