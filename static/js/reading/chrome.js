// Everything around the pictures: header, legend, help, notices. It never moves the pictures.

import { keep, recall } from "./storage.js";
import { FULL } from "./window.js";

const byId = (id) => document.getElementById(id);
const copyOf = (id) => byId(id).content.firstElementChild.cloneNode(true);

export class Chrome {
  constructor() {
    this.anchors = [];
    this.phasesTold = new Set();
  }

  showCase(found, { showsPrompt, previous }) {
    byId("study").textContent = found.study;
    byId("prompt-text").textContent = found.prompt || "No prompt";
    document.querySelector(".prompt").classList.toggle("unasked", !showsPrompt);
    byId("instructions").textContent = found.instructions;
    byId("instructions").hidden = !found.instructions;
    byId("back").disabled = !previous;
    byId("comment-field").readOnly = !found.is_open;
    byId("none").hidden = !found.allows_none_acceptable;
    for (const id of ["skip", "none", "undo"]) byId(id).disabled = !found.is_open;
    this.foldPrompt();
    Object.assign(byId("images").dataset, {
      mode: found.mode,
      count: found.images.length,
      criteria: found.criteria.length,
    });
  }

  /** A prompt that does not fit can be unfolded, by mouse or by Tab. */
  foldPrompt() {
    const text = byId("prompt-text");
    text.classList.remove("long");
    const isLong = text.scrollHeight > text.clientHeight + 2;
    text.classList.toggle("long", isLong);
    if (isLong) text.tabIndex = 0;
    else text.removeAttribute("tabindex");
  }

  /** A pool has no end to count to: what is read is told. */
  showProgress({ study, position, total, is_pool: isPool }, { read, pace }) {
    const place = isPool ? `${read} read` : `${position} of ${total}`;
    byId("position").textContent = place;
    byId("pace").textContent = pace ? `${pace}/h` : "";
    document.title = `${place} · ${study} · Reading Room`;
    const bar = byId("read-bar").parentElement;
    bar.classList.toggle("endless", isPool);
    byId("read-bar").style.width = isPool ? "0" : `${(100 * read) / total}%`;
    bar.setAttribute("aria-valuenow", read);
    if (isPool) bar.removeAttribute("aria-valuemax");
    else bar.setAttribute("aria-valuemax", total);
  }

  /** The scale of the question in focus, always in the same place. */
  showScale(criterion, { steps, digit, where }) {
    byId("criterion").textContent = criterion.name;
    byId("where").textContent = where;
    byId("question").textContent = criterion.question;
    if (this.anchors.length !== steps.length) this.makeAnchors(steps.length);
    steps.forEach((step, number) => {
      const button = this.anchors[number];
      button.dataset.digit = step.digit;
      button.querySelector("b").textContent = step.digit;
      button.querySelector("span").textContent = step.text;
      button.title = step.text;
      button.setAttribute("aria-pressed", step.digit === digit);
    });
  }

  makeAnchors(count) {
    const items = Array.from({ length: count }, () => copyOf("anchor-template"));
    byId("anchors").replaceChildren(...items);
    byId("anchors").style.setProperty("--steps", count);
    this.anchors = items.map((item) => item.querySelector("button"));
  }

  showNone(isSet) {
    byId("none").setAttribute("aria-pressed", isSet);
  }

  /** Once for each study: what the reader is told when a new phase begins. */
  showPhase({ study, phase_note: note }, { onClose }) {
    if (!note || this.phasesTold.has(study) || recall("told", study) === note) return;
    this.phasesTold.add(study);
    byId("phase-text").textContent = note;
    byId("phase").addEventListener(
      "close",
      () => {
        onClose();
        keep("told", study, note);
      },
      { once: true },
    );
    byId("phase").showModal();
  }

  showSubmit({ label, isReady, hint }) {
    byId("submit").firstChild.textContent = `${label} `;
    byId("submit").classList.toggle("primary", isReady);
    byId("hint").textContent = hint;
  }

  showComment(text) {
    this.showHasComment(text);
    byId("comment-field").value = text;
  }

  showHasComment(text) {
    byId("comment").classList.toggle("has-comment", text.trim() !== "");
  }

  showView({ level, width, zoom, inverted, centre }) {
    const text = `W ${Math.round(width)}  L ${Math.round(level)}  ${zoom.toFixed(1)}×`;
    byId("view").textContent = text;
    const moved = centre.x !== 0.5 || centre.y !== 0.5 || zoom !== 1;
    byId("view").classList.toggle("changed", moved || level !== FULL.level || width !== FULL.width);
    byId("invert").setAttribute("aria-pressed", inverted);
  }

  showStatus({ unsent, trouble }) {
    const kept = unsent.length ? ` · ${unsent.length} kept` : "";
    const status = byId("status");
    status.title = kept ? "Readings kept in this browser until the server has them" : "";
    status.dataset.state = trouble ?? (unsent.length ? "sending" : "saved");
    if (trouble === "offline") status.textContent = `Offline${kept}`;
    else if (trouble === "login") status.textContent = `Logged out${kept}`;
    else status.textContent = unsent.length ? "Sending" : "Saved";
  }

  /** Over the pictures, until there are others. Offline, no link leads anywhere. */
  say(text, { canLeave = true } = {}) {
    byId("message").querySelector("p").textContent = text;
    byId("message").querySelector("a").hidden = !canLeave;
    byId("message").hidden = !text;
  }

  toggleHelp() {
    const help = byId("help");
    if (help.open) help.close();
    else help.showModal();
  }
}
