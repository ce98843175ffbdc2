// Arrows on an image: a part of it, or one pixel.

import assert from "node:assert/strict";
import { test } from "node:test";
import { stepOf } from "../../static/js/reading/arrows.js";

const IMAGE = { width: 640, height: 480 };
const press = (key, modifiers = {}) => stepOf({ key, ...modifiers }, IMAGE);

test("an arrow goes a 64th of the image's width, in either direction", () => {
  assert.deepEqual(press("ArrowLeft"), [-10, 0]);
  assert.deepEqual(press("ArrowDown"), [0, 10]);
});

test("with Ctrl it goes one pixel, and on a tiny image never less", () => {
  assert.deepEqual(press("ArrowRight", { ctrlKey: true }), [1, 0]);
  assert.deepEqual(stepOf({ key: "ArrowUp" }, { width: 20, height: 20 }), [0, -1]);
});

test("other keys, and arrows of the browser's, are none", () => {
  assert.equal(press("a"), undefined);
  assert.equal(press("ArrowLeft", { altKey: true }), undefined);
});
