// Keys and mouse: defaults, and what a reader changes of them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Bindings, COMMANDS, capsOf, spell } from "../../static/js/reading/bindings.js";

const make = (stored) => new Bindings(stored, { onChange() {} });

test("by default no key has two meanings, and no two commands one text", () => {
  const keys = COMMANDS.flatMap((command) => command.keys);
  assert.equal(new Set(keys).size, keys.length);
  assert.equal(new Set(COMMANDS.map(({ text }) => text)).size, COMMANDS.length);
});

test("a key takes the place of another one, and only that is kept", () => {
  const bindings = make();
  assert.equal(bindings.bind("unscore", "q", "Delete"), "");
  assert.deepEqual(bindings.keysOf("unscore"), ["Backspace", "q"]);
  assert.deepEqual(bindings.toJSON(), { unscore: ["Backspace", "q"] });
});

test("back at the defaults nothing is kept", () => {
  const bindings = make();
  bindings.bind("invert", "d", "i");
  bindings.bind("invert", "i", "d");
  assert.deepEqual(bindings.toJSON(), {});
  assert.ok(bindings.isDefault);
});

test("a key that is taken or fixed is refused with a reason", () => {
  const bindings = make();
  assert.equal(bindings.bind("invert", "c", "i"), "C already means “Comment on the case”.");
  for (const key of ["4", "Tab", "Shift+Tab", "Escape", " ", "F5", "Ctrl+c", "Ctrl+Shift+t"]) {
    assert.match(bindings.bind("invert", key, "i"), /cannot be changed/);
  }
  assert.deepEqual(bindings.keysOf("invert"), ["i"]);
});

test("a reader's own key wins over a default that came later", () => {
  const bindings = make({ comment: ["i"] });
  assert.equal(bindings.commandOf("i").name, "comment");
  assert.deepEqual(bindings.keysOf("invert"), []);
});

test("of what was stored at another time, what makes no sense now is left out", () => {
  const stored = { gone: ["q"], invert: "d", comment: ["k"], mouseLeft: ["fly"], mouseRight: ["pan"] };
  const bindings = make(stored);
  assert.deepEqual(bindings.toJSON(), { comment: ["k"], mouseRight: ["pan"] });
  assert.equal(bindings.mouse("left"), "window");
  assert.equal(bindings.mouse("right"), "pan");
});

test("what stays between cases is the reader's choice", () => {
  const bindings = make({ nextWindow: ["kept"], nextMask: ["lost"] });
  const choices = ["nextWindow", "nextZoom", "nextInvert", "nextMask"].map((slot) => bindings.choice(slot));
  assert.deepEqual(choices, ["kept", "reset", "kept", "reset"]);
});

test("every change is told", () => {
  let told = 0;
  const bindings = new Bindings({}, { onChange: () => told++ });
  bindings.bind("invert", "d", "i");
  bindings.unbind("invert", "d");
  bindings.choose("mouseWheel", "pan");
  bindings.reset();
  assert.equal(told, 4);
  assert.ok(bindings.isDefault);
});

test("keys are spelled as their caps", () => {
  assert.deepEqual(capsOf("Shift+ArrowLeft"), ["Shift", "←"]);
  assert.equal(spell("-"), "−");
  assert.equal(spell("x"), "X");
  assert.deepEqual(capsOf("Ctrl+Shift+z"), ["Ctrl", "Shift", "Z"]);
  assert.deepEqual(capsOf("+"), ["+"]);
});
