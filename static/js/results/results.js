// The results are fetched again while a study is open: what was unfolded stays unfolded, and
// what was scrolled sideways stays there.

import { detailOf, findAll } from "../dom.js";

const OURS = ["results-figures", "study-images"];
/** The ids of what is unfolded. @type {Set<string>} */
const unfolded = new Set();
/** How far each wide table is scrolled, by the id of its part. @type {Map<string, number[]>} */
const scrolled = new Map();

const isOurs = (/** @type {Event} */ event) => OURS.includes(detailOf(event).target?.id);

// Wide tables have no names of their own: one is known by its place in the part that is swapped.
const wideOf = (/** @type {Element | null} */ part) => (part ? findAll(part, ".scroll-x") : []);

document.addEventListener("htmx:beforeSwap", (event) => {
  if (!isOurs(event)) return;
  const { target } = detailOf(event);
  unfolded.clear();
  for (const { id } of target.querySelectorAll("details[open]")) unfolded.add(id);
  scrolled.set(target.id, wideOf(target).map((table) => table.scrollLeft));
});

document.addEventListener("htmx:afterSwap", () => {
  for (const id of unfolded) document.getElementById(id)?.setAttribute("open", "");
  for (const [id, places] of scrolled) {
    wideOf(document.getElementById(id)).forEach((table, at) => {
      table.scrollLeft = places[at] ?? 0;
    });
  }
  scrolled.clear();
});
