// Boxes and polygons in pixels of the stored image, (0, 0) being the top left corner of its top
// left pixel: {shape, points}, a box by its top left and bottom right corners. No DOM in here.

/** @import { Point, Region, Size } from "./types.js" */
/** @typedef {{minX: number, minY: number, maxX: number, maxY: number}} Bounds */
/** @typedef {{type: "RECTANGLE", geometry: {bounds: Bounds, x: number, y: number, w: number, h: number, rot: number}}} BoxSelector */
/** @typedef {{type: "POLYGON", geometry: {bounds: Bounds, points: Point[]}}} PolygonSelector */

import { clamp } from "./window.js";

const LEAST_SIDE = 3;

/** @type {(region: Region) => boolean} */
const isBox = ({ shape }) => shape === "box";

/** @param {Region} region */
export function boundsOf({ points }) {
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  return { minX: Math.min(...xs), minY: Math.min(...ys), maxX: Math.max(...xs), maxY: Math.max(...ys) };
}

/** Nothing of a region lies outside its image. @type {(image: Size, region: Region) => Region} */
export function clampTo({ width, height }, { shape, points }) {
  return { shape, points: points.map(([x, y]) => [clamp(x, [0, width]), clamp(y, [0, height])]) };
}

/** The corners in order, of a box too. @type {(region: Region) => Point[]} */
function cornersOf(region) {
  const { minX, minY, maxX, maxY } = boundsOf(region);
  return isBox(region) ? [[minX, minY], [maxX, minY], [maxX, maxY], [minX, maxY]] : region.points;
}

/** @param {Region} region */
function areaOf(region) {
  const corners = cornersOf(region);
  /** @type {(corner: Point, at: number) => number} */
  const cross = ([x, y], at) => {
    const [nextX, nextY] = corners[(at + 1) % corners.length];
    return x * nextY - nextX * y;
  };
  return Math.abs(corners.map(cross).reduce((sum, one) => sum + one, 0)) / 2;
}

/** Too thin or too small to say where anything is. @param {Region} region */
export function isDegenerate(region) {
  const { minX, minY, maxX, maxY } = boundsOf(region);
  const isThin = maxX - minX < LEAST_SIDE || maxY - minY < LEAST_SIDE;
  return isThin || areaOf(region) < LEAST_SIDE ** 2;
}

/** How far a point is from the region's border. @type {(region: Region, point: Point) => number} */
export function distanceTo(region, [x, y]) {
  const corners = cornersOf(region);
  /** @type {(corner: Point, at: number) => number} */
  const fromEdge = ([ax, ay], at) => {
    const [bx, by] = corners[(at + 1) % corners.length];
    const [dx, dy] = [bx - ax, by - ay];
    const along = clamp(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1), [0, 1]);
    return Math.hypot(x - ax - along * dx, y - ay - along * dy);
  };
  return Math.min(...corners.map(fromEdge));
}

/** In the middle of an image, a quarter as wide and high. @type {(image: Size) => Region} */
export function startBox({ width, height }) {
  return {
    shape: "box",
    points: [[0.375 * width, 0.375 * height], [0.625 * width, 0.625 * height]],
  };
}

/** As far as the image goes, keeping its form. @type {(image: Size, region: Region, by: Point) => Region} */
export function moveBy({ width, height }, region, [dx, dy]) {
  const { minX, minY, maxX, maxY } = boundsOf(region);
  const [across, down] = [clamp(dx, [-minX, width - maxX]), clamp(dy, [-minY, height - maxY])];
  return { shape: region.shape, points: region.points.map(([x, y]) => [x + across, y + down]) };
}

/**
 * The bottom right corner of what surrounds the region moves, and everything in proportion.
 * @type {(image: Size, region: Region, by: Point) => Region}
 */
export function resizeBy(image, region, [dx, dy]) {
  const { minX, minY, maxX, maxY } = boundsOf(region);
  /** @type {(from: number, to: number, by: number, limit: number) => number} */
  const grown = (from, to, by, limit) => (clamp(to + by, [from + LEAST_SIDE, limit]) - from) / (to - from);
  const [byX, byY] = [grown(minX, maxX, dx, image.width), grown(minY, maxY, dy, image.height)];
  /** @type {Point[]} */
  const points = region.points.map(([x, y]) => [minX + (x - minX) * byX, minY + (y - minY) * byY]);
  return clampTo(image, { shape: region.shape, points });
}

// As Annotorious has them

/** @type {(region: Region) => BoxSelector | PolygonSelector} */
export function toSelector(region) {
  const bounds = boundsOf(region);
  const { minX: x, minY: y, maxX, maxY } = bounds;
  return isBox(region)
    ? { type: "RECTANGLE", geometry: { bounds, x, y, w: maxX - x, h: maxY - y, rot: 0 } }
    : { type: "POLYGON", geometry: { bounds, points: region.points } };
}

/** @type {(selector: BoxSelector | PolygonSelector) => Region} */
export function fromSelector(selector) {
  if (selector.type !== "RECTANGLE") return { shape: "polygon", points: selector.geometry.points };
  const { x, y, w, h } = selector.geometry;
  return { shape: "box", points: [[x, y], [x + w, y + h]] };
}
