// Puts a prompt set's prompts into the console's field when the set is chosen.

import { findAs } from "../dom.js";

const part = document.querySelector(".from-prompt-set");

if (part instanceof HTMLElement) {
  const { address = "" } = part.dataset;
  const chosen = findAs(part, "select", HTMLSelectElement);
  const prompts = findAs(/** @type {HTMLFormElement} */ (chosen.form), "[name=prompts]", HTMLTextAreaElement);

  chosen.addEventListener("change", async () => {
    if (!chosen.value) return;
    const response = await fetch(address.replace("/0/", `/${chosen.value}/`));
    if (!response.ok) return; // the server fills an empty field itself
    prompts.value = (await response.text()).trimEnd();
    prompts.dispatchEvent(new Event("input", { bubbles: true }));
  });
}
