// A form that came back unsaved says so at the top of the page, and the focus goes to what is wrong.

import { detailOf } from "./dom.js";

const WRONG = "[aria-invalid=true], .errorlist";
const FIELD = "input:not([type=hidden]), select, textarea";

/** What is sent to be saved; a filter of a list is none. @param {ParentNode} root */
const wrongIn = (root) =>
  [...root.querySelectorAll(WRONG)].filter((one) => {
    const form = one.closest("form");
    return form?.method === "post" && !one.closest("[hidden], template");
  });

/** The field that a list of errors is about, or the list itself. @param {Element} one */
function fieldOf(one) {
  if (!one.matches(".errorlist")) return one;
  return one.closest(".field")?.querySelector(FIELD) ?? one;
}

/** @param {Element} field */
function focus(field) {
  for (let around = field.closest("details"); around; around = around.parentElement?.closest("details") ?? null) around.open = true;
  if (!(field instanceof HTMLElement)) return;
  if (!field.matches(FIELD)) field.tabIndex = -1;
  field.focus();
  field.scrollIntoView({ block: "center" });
}

/** @param {number} count */
const sentenceOf = (count) =>
  `Nothing was saved. ${count === 1 ? "One thing needs" : `${count} things need`} a change; the first has the focus.`;

/** @param {ParentNode} root */
function tell(root) {
  const wrong = wrongIn(root);
  const count = wrong.filter((one) => one.matches(".errorlist")).length;
  document.querySelector("#unsaved")?.remove();
  if (wrong.length === 0 || !document.body.dataset.user) return; // who logs in saves nothing
  const line = document.createElement("p");
  Object.assign(line, { id: "unsaved", className: "message error", textContent: sentenceOf(count || 1) });
  line.setAttribute("role", "alert");
  document.querySelector("#main")?.prepend(line);
  focus(fieldOf(wrong[0]));
}

tell(document);
document.addEventListener("htmx:afterSettle", (event) => {
  const { elt } = detailOf(event);
  if (elt instanceof HTMLFormElement) tell(elt);
});
