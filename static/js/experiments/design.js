// Keeps the primary comparison of an experiment's form among what the form compares.

const form = document.querySelector(".experiment-form");
const { metric, real_sizes, ratios, primary_arm, primary_size, primary_ratio } = form.elements;
const tasks = [...form.querySelectorAll('[name="task"]')];
const arms = [...form.querySelectorAll('[name="arms"]')];
const figures = [...metric.querySelectorAll("optgroup")]; // one a task, in the tasks' order

function followTask() {
  figures.forEach((group, index) => {
    group.disabled = group.hidden = !tasks[index].checked;
  });
  choose(metric, [...metric.options].filter((option) => !option.parentNode.disabled));
}

function followArms() {
  for (const option of primary_arm.options) {
    option.disabled = !arms.some((box) => box.checked && box.value === option.value);
  }
  const compared = [...primary_arm.options].filter((option) => !option.disabled);
  choose(primary_arm, compared.sort((one, other) => isCurated(other) - isCurated(one)));
}

const isCurated = (option) => option.value === "curated";

// What is chosen stays, if it is one of these.
function choose(select, options) {
  if (options.length && !options.includes(select.selectedOptions[0])) select.value = options[0].value;
}

function followList(field, list) {
  const offered = list.value.split(",").map((text) => text.trim()).filter(Boolean);
  const isSame = (text) => text === field.value.trim() || Number(text) === Number(field.value);
  if (offered.length && !offered.some(isSame)) field.value = offered[0];
}

function follow() {
  followTask();
  followArms();
  followList(primary_size, real_sizes);
  followList(primary_ratio, ratios);
}

form.addEventListener("change", ({ target }) => {
  if (target !== primary_size && target !== primary_ratio) follow();
});
follow();
