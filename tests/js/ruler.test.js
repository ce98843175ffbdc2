// Lengths in words: millimetres where it is known how far pixels are apart.

import assert from "node:assert/strict";
import { test } from "node:test";

import "./browser.js";

const { lengthInWords } = await import("../../static/js/reading/ruler.js");

test("a length is told in millimetres across and down, else in pixels", () => {
  const line = { from: { x: 10, y: 10 }, to: { x: 40, y: 50 } };
  assert.equal(lengthInWords(line), "50 px");
  assert.equal(lengthInWords(line, null), "50 px");
  assert.equal(lengthInWords(line, [0.1, 0.1]), "5.0 mm");
  assert.equal(lengthInWords({ from: { x: 0, y: 0 }, to: { x: 0, y: 10 } }, [9, 0.25]), "2.5 mm");
});
