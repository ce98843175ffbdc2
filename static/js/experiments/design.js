// Keeps the primary comparison of an experiment's form among what the form compares.

import { findAs } from "../dom.js";

const form = findAs(document, ".experiment-form", HTMLFormElement);
const listOf = (/** @type {string} */ name) => findAs(form, `select[name=${name}]`, HTMLSelectElement);
const fieldOf = (/** @type {string} */ name) => findAs(form, `input[name=${name}]`, HTMLInputElement);
/** @type {(name: string) => HTMLInputElement[]} */
const boxesOf = (name) => [...form.querySelectorAll(`input[name=${name}]`)].map((one) => /** @type {HTMLInputElement} */ (one));

const [metric, primaryArm] = [listOf("metric"), listOf("primary_arm")];
const [realSizes, ratios] = [fieldOf("real_sizes"), fieldOf("ratios")];
const [primarySize, primaryRatio] = [fieldOf("primary_size"), fieldOf("primary_ratio")];
const tasks = boxesOf("task");
const arms = boxesOf("arms");
const figures = [...metric.querySelectorAll("optgroup")]; // one a task, in the tasks' order

function followTask() {
  figures.forEach((group, index) => {
    group.disabled = group.hidden = !tasks[index].checked;
  });
  choose(metric, figures.filter((group) => !group.disabled).flatMap((group) => [...group.querySelectorAll("option")]));
}

function followArms() {
  for (const option of primaryArm.options) {
    option.disabled = !arms.some((box) => box.checked && box.value === option.value);
  }
  const compared = [...primaryArm.options].filter((option) => !option.disabled);
  choose(primaryArm, compared.sort((one, other) => Number(isCurated(other)) - Number(isCurated(one))));
}

const isCurated = (/** @type {HTMLOptionElement} */ option) => option.value === "curated";

/** What is chosen stays, if it is one of these. @type {(select: HTMLSelectElement, options: HTMLOptionElement[]) => void} */
function choose(select, options) {
  if (options.length && !options.includes(select.selectedOptions[0])) select.value = options[0].value;
}

/** @type {(field: HTMLInputElement, list: HTMLInputElement) => void} */
function followList(field, list) {
  const offered = list.value.split(",").map((text) => text.trim()).filter(Boolean);
  const isSame = (/** @type {string} */ text) => text === field.value.trim() || Number(text) === Number(field.value);
  if (offered.length && !offered.some(isSame)) field.value = offered[0];
}

function follow() {
  followTask();
  followArms();
  followList(primarySize, realSizes);
  followList(primaryRatio, ratios);
}

form.addEventListener("change", ({ target }) => {
  if (target !== primarySize && target !== primaryRatio) follow();
});
follow();
