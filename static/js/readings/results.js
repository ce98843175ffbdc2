// The results are fetched again while a study is open: what was unfolded stays unfolded.

const unfolded = new Set();

const isOurs = (event) => event.detail.target?.id === "results-figures";

document.addEventListener("htmx:beforeSwap", (event) => {
  if (!isOurs(event)) return;
  unfolded.clear();
  for (const { id } of event.detail.target.querySelectorAll("details[open]")) unfolded.add(id);
});

document.addEventListener("htmx:afterSwap", () => {
  for (const id of unfolded) document.getElementById(id)?.setAttribute("open", "");
});
