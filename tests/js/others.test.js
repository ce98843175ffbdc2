// Regions of others as paths on the image.

import assert from "node:assert/strict";
import { test } from "node:test";
import "./browser.js";
import { outlineOf } from "../../static/js/reading/others.js";

test("a box is drawn by its corners, a polygon by all of its own", () => {
  assert.equal(outlineOf({ shape: "box", points: [[1, 2], [5, 7]] }), "M1 2H5V7H1Z");
  assert.equal(outlineOf({ shape: "polygon", points: [[0, 0], [9, 0], [0, 9]] }), "M0 0L9 0L0 9Z");
});
