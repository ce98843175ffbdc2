// Boxes and polygons in pixels of an image of 100 x 80.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  boundsOf,
  clampTo,
  distanceTo,
  fromSelector,
  isDegenerate,
  moveBy,
  resizeBy,
  startBox,
  toSelector,
} from "../../static/js/reading/shapes.js";

const IMAGE = { width: 100, height: 80 };
const BOX = { shape: "box", points: [[10, 20], [40, 60]] };
const TRIANGLE = { shape: "polygon", points: [[0, 0], [30, 0], [0, 40]] };

test("bounds surround all points", () => {
  assert.deepEqual(boundsOf(TRIANGLE), { minX: 0, minY: 0, maxX: 30, maxY: 40 });
});

test("nothing of a region lies outside its image", () => {
  const clamped = clampTo(IMAGE, { shape: "box", points: [[-5, 3], [130, 99]] });
  assert.deepEqual(clamped.points, [[0, 3], [100, 80]]);
});

test("what is thinner than three pixels or smaller than nine is no region", () => {
  assert.ok(isDegenerate({ shape: "box", points: [[0, 0], [2, 50]] }));
  assert.ok(isDegenerate({ shape: "polygon", points: [[0, 0], [50, 50], [25, 25]] }));
  assert.ok(!isDegenerate({ shape: "box", points: [[0, 0], [3, 3]] }));
  assert.ok(!isDegenerate(TRIANGLE));
});

test("the distance is that to the border, from inside and from outside", () => {
  assert.equal(distanceTo(BOX, [25, 40]), 15);
  assert.equal(distanceTo(BOX, [43, 64]), 5);
  assert.equal(distanceTo(TRIANGLE, [15, 20]), 0);
});

test("a box begins in the middle, a quarter as large as its image", () => {
  assert.deepEqual(startBox(IMAGE).points, [[37.5, 30], [62.5, 50]]);
});

test("a region moves as far as the image goes and keeps its form", () => {
  assert.deepEqual(moveBy(IMAGE, BOX, [5, -3]).points, [[15, 17], [45, 57]]);
  assert.deepEqual(moveBy(IMAGE, BOX, [90, 90]).points, [[70, 40], [100, 80]]);
});

test("a region is resized at its bottom right corner, not below three pixels nor beyond the image", () => {
  assert.deepEqual(resizeBy(IMAGE, BOX, [10, -10]).points, [[10, 20], [50, 50]]);
  assert.deepEqual(resizeBy(IMAGE, BOX, [-90, 90]).points, [[10, 20], [13, 80]]);
  assert.deepEqual(resizeBy(IMAGE, TRIANGLE, [30, 0]).points, [[0, 0], [60, 0], [0, 40]]);
});

test("boxes and polygons come back from the annotator as they went", () => {
  for (const region of [BOX, TRIANGLE]) assert.deepEqual(fromSelector(toSelector(region)), region);
});
