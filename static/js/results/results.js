// The results are fetched again while a study is open: what was unfolded stays unfolded, and
// what was scrolled sideways stays there.

const OURS = ["results-figures", "study-images"];
const unfolded = new Set();
const scrolled = new Map();

const isOurs = (event) => OURS.includes(event.detail.target?.id);

// Wide tables have no names of their own: one is known by its place in the part that is swapped.
const wideOf = (part) => [...(part?.querySelectorAll(".scroll-x") ?? [])];

document.addEventListener("htmx:beforeSwap", (event) => {
  if (!isOurs(event)) return;
  const { target } = event.detail;
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
