// What the arrows do on an image, where they move something that was drawn on it.

/** @import { Point, Size } from "./types.js" */

const STEPS_ACROSS = 64; // key presses across the image
/** @type {Record<string, Point>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** An arrow goes a small part of the image, with Ctrl one pixel. @type {(event: KeyboardEvent, image: Size) => Point | undefined} */
export function stepOf({ key, ctrlKey, altKey, metaKey }, image) {
  const way = ARROWS[key];
  if (!way || altKey || metaKey) return undefined;
  const step = ctrlKey ? 1 : Math.max(1, Math.round(image.width / STEPS_ACROSS));
  return [way[0] * step, way[1] * step];
}
