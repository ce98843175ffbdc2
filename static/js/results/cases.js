// J and K go from case to case, as in lists of letters; dead while something is typed.

import { findAll } from "../dom.js";

const TYPED_INTO = "input, textarea, select";
const STEPS = { j: 1, k: -1 };

document.addEventListener("keydown", (event) => {
  const step = STEPS[/** @type {keyof typeof STEPS} */ (event.key.toLowerCase())];
  const isTyping = event.target instanceof Element && event.target.matches(TYPED_INTO);
  if (!step || isTyping || event.ctrlKey || event.altKey || event.metaKey) return;
  const cases = findAll(document, ".reviewed");
  const at = cases.findIndex((one) => one === document.activeElement);
  const next = cases[at < 0 ? 0 : at + step];
  if (!next) return;
  event.preventDefault();
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "start" });
});
