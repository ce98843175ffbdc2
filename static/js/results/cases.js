// S goes to where ticked cases are sent to; dead while something is typed. So does the button
// that sends them, as long as nobody is chosen.

import { findAll, findAs } from "../dom.js";

const TYPED_INTO = "input:not([type=checkbox]), textarea, select";
const adjudicators = () => findAll(document, ".adjudicate-form input[name=adjudicators]");

function send() {
  const form = findAll(document, ".adjudicate")[0];
  if (!(form instanceof HTMLDetailsElement)) return false;
  form.open = true;
  form.scrollIntoView({ block: "center" });
  adjudicators()[0]?.focus({ preventScroll: true });
  return true;
}

document.addEventListener("keydown", (event) => {
  const isTyping = event.target instanceof Element && event.target.matches(TYPED_INTO);
  if (isTyping || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key.toLowerCase() === "s" && send()) event.preventDefault();
});

document.addEventListener("submit", (event) => {
  const by = event instanceof SubmitEvent ? event.submitter : null;
  if (!(by instanceof HTMLButtonElement) || by.value !== "adjudicate") return;
  const isChosen = adjudicators().some((box) => box instanceof HTMLInputElement && box.checked);
  const open = findAs(document, ".adjudicate", HTMLDetailsElement).open;
  if (!isChosen && !open && send()) event.preventDefault();
});
