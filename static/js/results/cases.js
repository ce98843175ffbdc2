// J and K go from case to case, as in lists of letters, X ticks one, and S goes to where ticked
// cases are sent; dead while something is typed.

import { find, findAll, findAs } from "../dom.js";

const TYPED_INTO = "input:not([type=checkbox]), textarea, select";
const STEPS = { j: 1, k: -1 };

document.addEventListener("keydown", (event) => {
  const isTyping = event.target instanceof Element && event.target.matches(TYPED_INTO);
  if (isTyping || event.ctrlKey || event.altKey || event.metaKey) return;
  const key = event.key.toLowerCase();
  const step = STEPS[/** @type {keyof typeof STEPS} */ (key)];
  const isDone = step ? goOn(step) : key === "x" ? tick() : key === "s" && send();
  if (isDone) event.preventDefault();
});

const cases = () => findAll(document, ".reviewed");
const present = () => cases().findIndex((one) => one.contains(document.activeElement));

/** @param {number} step */
function goOn(step) {
  const at = present();
  const next = cases()[at < 0 ? 0 : at + step];
  next?.focus({ preventScroll: true });
  next?.scrollIntoView({ block: "start" });
  return Boolean(next);
}

function tick() {
  const one = cases()[present()];
  if (!one) return false;
  const box = findAs(one, "input[name=case]", HTMLInputElement);
  box.checked = !box.checked;
  return true;
}

function send() {
  findAs(document, ".adjudicate", HTMLDetailsElement).open = true;
  const [to] = findAll(document, ".adjudicate-form input[name=adjudicators]");
  find(document, ".adjudicate").scrollIntoView({ block: "start" });
  to?.focus({ preventScroll: true });
  return true;
}
