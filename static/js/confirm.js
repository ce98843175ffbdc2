// Asks before a form is sent whose `data-confirm` has a question.

import { targetOf } from "./dom.js";

const questionOf = (/** @type {Element | null} */ element) =>
  element instanceof HTMLElement ? element.dataset.confirm : undefined;

document.addEventListener("submit", (event) => {
  const question = questionOf(event.submitter) ?? questionOf(targetOf(event));
  if (question && !window.confirm(question)) event.preventDefault();
});
