"""What keeps people from using a page: axe-core, 200 % zoom, reach, reduced motion."""

from collections.abc import Mapping

from playwright.sync_api import Page, ViewportSize

from feedback_app.local.homes import CHECKOUT
from tests.touring import FRAMES

AXE = (CHECKOUT / "node_modules" / "axe-core" / "axe.min.js").read_text()
FULL: ViewportSize = {"width": 1280, "height": 800}
ZOOMS: Mapping[str, ViewportSize] = {"100 %": FULL, "200 %": {"width": 640, "height": 400}}

VIOLATIONS = """async () => {
  const grave = axe._audit.rules
    .filter(({ enabled, impact }) => enabled && ["serious", "critical"].includes(impact))
    .map(({ id }) => id);
  const { violations } = await axe.run(document, {
    resultTypes: ["violations"], runOnly: { type: "rule", values: grave },
  });
  return violations
    .filter(({ impact }) => ["serious", "critical"].includes(impact))
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) =>
      `${id}: ${html.slice(0, 160)} ${failureSummary.split("\\n")[1] ?? ""}`));
}"""

UNREACHABLE = """() => {
  const parts = [...document.querySelectorAll("a[href], button, input, select, textarea")];
  const isShown = (part) =>
    part.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true })
    && !part.disabled && part.type !== "hidden" && !part.matches(".skip-link");
  return parts.filter(isShown).filter((part) => {
    part.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
    const { left, right, top, bottom } = part.getClientRects()[0];
    const [x, y] = [(left + right) / 2, (top + bottom) / 2];
    const met = document.elementFromPoint(x, y);
    return !(met && (part.contains(met) || met.contains(part) || met.closest("label")));
  }).map((part) => `out of reach: ${part.outerHTML.slice(0, 160)}`);
}"""

MOVING = """() => {
  const longest = (text) => Math.max(...text.split(",").map(
    (time) => parseFloat(time) * (time.trim().endsWith("ms") ? 0.001 : 1)));
  return [...document.querySelectorAll("*")].filter((part) =>
    ["", "::before", "::after"].some((pseudo) => {
      const style = getComputedStyle(part, pseudo || null);
      return longest(style.transitionDuration) > 0.01
        || (style.animationName !== "none" && longest(style.animationDuration) > 0.01);
    })).map((part) => `moves: ${part.outerHTML.slice(0, 160)}`);
}"""

PARTS = """() => {
  const all = document.documentElement.cloneNode(true);
  const main = all.querySelector("main");
  main?.remove();
  const whole = [all.querySelector("head"), main].map((part) => part?.outerHTML ?? "").join("");
  return [all.querySelector("body").outerHTML, whole].map(
    (html) => html.replace(/[\\w-]{32,}/g, "*").replace(/\\d+/g, "0"));
}"""
"""What is around the main part and the part itself; numbers, tokens and sums may differ."""

CHECKS = (VIOLATIONS, UNREACHABLE, MOVING)
CLEAN: set[tuple[str, str]] = set()
"""At which zoom which parts of pages were without a fault; much is the same for several people."""


def faults_of(page: Page, zooms: Mapping[str, ViewportSize] = ZOOMS) -> list[str]:
    """All that is wrong with the page that is open."""
    parts = page.evaluate(PARTS)
    load_axe(page)
    found: list[str] = []
    for zoom, size in zooms.items():
        page.set_viewport_size(size)
        page.evaluate(FRAMES)  # for what follows the size
        shown = {(zoom, part) for part in parts}
        told = [] if shown <= CLEAN else [one for check in CHECKS for one in page.evaluate(check)]
        overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if overflow > 0:
            told.append(f"scrolls sideways by {overflow} px")
        found += [f"at {zoom} {fault}" for fault in told]
        CLEAN.update(shown if not told else ())
    page.set_viewport_size(FULL)
    return found


def load_axe(page: Page) -> None:
    """As the debugger does it: Playwright's own ``evaluate`` compiles the text anew each time."""
    debugger = page.context.new_cdp_session(page)
    debugger.send("Runtime.evaluate", {"expression": AXE, "silent": True})
    debugger.detach()
