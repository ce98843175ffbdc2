// What scrolls within the page can be scrolled with the keyboard too: it takes the focus.

const SCROLLERS = ".scroll-x, pre.log";

function update(part) {
  const scrolls = part.scrollWidth > part.clientWidth || part.scrollHeight > part.clientHeight;
  part.toggleAttribute("tabindex", scrolls);
  if (!scrolls) return;
  part.tabIndex = 0;
  part.setAttribute("role", "group");
  if (!part.hasAttribute("aria-label")) part.setAttribute("aria-label", "Scrolls");
}

const observer = new ResizeObserver((entries) => {
  for (const { target } of entries) update(target);
});

function observe(root) {
  for (const part of root.querySelectorAll(SCROLLERS)) observer.observe(part);
}

observe(document);
document.addEventListener("htmx:load", ({ detail }) => observe(detail.elt.parentNode ?? document));
