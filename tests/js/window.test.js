// Window and level, worked out by hand after DICOM PS3.3 C.11.2.1.2.1.

import assert from "node:assert/strict";
import { test } from "node:test";
import { FULL, PRESETS, clamp, lookUpTable } from "../../static/js/reading/window.js";

test("the full range leaves every grey value as it is", () => {
  assert.deepEqual([...lookUpTable(FULL)], Array.from({ length: 256 }, (_, grey) => grey));
});

test("inverted, the full range is the negative", () => {
  const table = lookUpTable({ ...FULL, inverted: true });
  assert.deepEqual([...table], Array.from({ length: 256 }, (_, grey) => 255 - grey));
});

test("a narrow window is black below, white above and steep between", () => {
  const table = lookUpTable({ level: 100, width: 5 });
  // ((grey - 99.5) / 4 + 0.5) * 255 at 97, 98, 99, 100, 101 and 102
  assert.deepEqual([...table.slice(97, 103)], [0, 32, 96, 159, 223, 255]);
  assert.equal(table[0], 0);
  assert.equal(table[255], 255);
});

test("no preset loses all that is on a picture", () => {
  for (const preset of PRESETS) assert.ok(new Set(lookUpTable(preset)).size > 90);
});

test("clamping keeps what lies between", () => {
  assert.deepEqual([-1, 0, 3, 5, 6].map((value) => clamp(value, [0, 5])), [0, 0, 3, 5, 5]);
});
