// Everything around the pictures: header, legend, help, notices. It never moves the pictures.

/** @import { Criterion, LoadedCase, OutboxState, Step } from "./types.js" */
/** @import { Viewer } from "./viewer.js" */

import { byId, byIdAs, copyOf, find, findAs } from "../dom.js";
import { takesAnswers } from "./answers.js";
import { keep, recall } from "./storage.js";
import { FULL } from "./window.js";

const isPressed = (/** @type {string} */ id, /** @type {boolean} */ is) => byId(id).setAttribute("aria-pressed", String(is));
const enable = (/** @type {string} */ id, /** @type {boolean} */ is) => {
  byIdAs(id, HTMLButtonElement).disabled = !is;
};
/** The field of the comment. */
const commentField = () => byIdAs("comment-field", HTMLTextAreaElement);

export class Chrome {
  /** @type {HTMLElement[]} */
  anchors = [];
  /** By study. @type {Set<string>} */
  phasesTold = new Set();

  constructor() {
    // Buttons come and go with a case, and the prompt has what they leave.
    new ResizeObserver(() => this.foldPrompt()).observe(find(document, ".prompt"));
  }

  /** Where there is no prompt nothing says so: it would hint at images that are made. @type {(found: LoadedCase, about: {previous: string | null | undefined}) => void} */
  showCase(found, { previous }) {
    const canAnswer = takesAnswers(found);
    byId("study").textContent = found.study;
    byId("prompt-text").textContent = found.prompt;
    find(document, ".prompt").classList.toggle("unasked", !found.prompt);
    byId("instructions").textContent = found.instructions;
    byId("instructions").hidden = !found.instructions;
    enable("back", Boolean(previous));
    commentField().readOnly = !canAnswer;
    byId("none").hidden = !found.allows_none_acceptable;
    for (const id of ["skip", "none", "undo"]) enable(id, canAnswer);
    byId("skip").hidden = found.is_training;
    byId("bookmark").hidden = found.is_training;
    byId("comment").firstChild?.replaceWith(found.asks_reason ? "Reason " : "Comment ");
    find(byId("comment-panel"), "label").textContent = found.asks_reason ? "Reason of your final reading" : "Comment on the case";
    this.foldPrompt();
    Object.assign(byId("images").dataset, {
      mode: found.mode,
      count: String(found.images.length),
      criteria: String(found.criteria.length),
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

  /** A pool has no end to count to: what is read is told. @type {(found: LoadedCase, sofar: {read: number, pace: number | undefined}) => void} */
  showProgress({ study, position, total, is_pool: isPool, is_training: isTraining }, { read, pace }) {
    const place = isPool ? `${read} read` : `${isTraining ? "Training " : ""}${position} of ${total}`;
    byId("position").textContent = place;
    byId("pace").textContent = pace ? `${pace}/h` : "";
    document.title = `${place} · ${study} · Reading Room`;
    const bar = find(document, ".place .bar");
    bar.classList.toggle("endless", isPool);
    byId("read-bar").style.width = isPool ? "0" : `${(100 * read) / total}%`;
    bar.setAttribute("aria-valuenow", String(read));
    if (isPool) bar.removeAttribute("aria-valuemax");
    else bar.setAttribute("aria-valuemax", String(total));
  }

  /**
   * The scale of the question in focus, always in the same place.
   * @type {(criterion: Criterion, scale: {steps: Step[], digits: number[], where: string}) => void}
   */
  showScale(criterion, { steps, digits, where }) {
    byId("criterion").textContent = criterion.name;
    byId("where").textContent = where;
    byId("question").textContent = criterion.question;
    if (this.anchors.length !== steps.length) this.makeAnchors(steps.length);
    steps.forEach((step, number) => {
      const button = this.anchors[number];
      button.dataset.digit = String(step.digit);
      find(button, "b").textContent = String(step.digit);
      find(button, "span").textContent = step.text;
      button.title = step.text;
      button.setAttribute("aria-pressed", String(digits.includes(step.digit)));
    });
  }

  /** @param {number} count */
  makeAnchors(count) {
    const items = Array.from({ length: count }, () => copyOf("anchor-template"));
    byId("anchors").replaceChildren(...items);
    byId("anchors").style.setProperty("--steps", String(count));
    this.anchors = items.map((item) => find(item, "button"));
  }

  /** @param {boolean} isSet */
  showNone(isSet) {
    isPressed("none", isSet);
  }

  /** Once for each study: what the reader is told when a new phase begins. @type {(found: LoadedCase, on: {onClose: () => void}) => void} */
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
    byIdAs("phase", HTMLDialogElement).showModal();
  }

  /** @param {{label: string, isReady: boolean, hint: string}} button */
  showSubmit({ label, isReady, hint }) {
    const [text] = byId("submit").childNodes;
    text.textContent = `${label} `;
    byId("submit").classList.toggle("primary", isReady);
    byId("hint").textContent = hint;
  }

  /** @param {string} text */
  showComment(text) {
    this.showHasComment(text);
    commentField().value = text;
  }

  /** @param {string} text */
  showHasComment(text) {
    byId("comment").classList.toggle("has-comment", text.trim() !== "");
  }

  /** @param {Viewer} view */
  showView({ level, width, zoom, isOneToOne, inverted, centre }) {
    const scale = isOneToOne ? "1:1" : `${zoom.toFixed(1)}×`;
    const text = `W ${Math.round(width)}  L ${Math.round(level)}  ${scale}`;
    byId("view").textContent = text;
    const moved = centre.x !== 0.5 || centre.y !== 0.5 || zoom !== 1;
    byId("view").classList.toggle("changed", moved || level !== FULL.level || width !== FULL.width);
    isPressed("invert", inverted);
  }

  /** @param {Pick<OutboxState, "unsent" | "trouble">} state */
  showStatus({ unsent, trouble }) {
    const kept = unsent.length ? ` · ${unsent.length} kept` : "";
    const status = byId("status");
    status.title = kept ? "Readings kept in this browser until the server has them" : "";
    status.dataset.state = trouble ?? (unsent.length ? "sending" : "saved");
    if (trouble === "offline") status.textContent = `Offline${kept}`;
    else if (trouble === "login") status.textContent = `Logged out${kept}`;
    else status.textContent = unsent.length ? "Sending" : "Saved";
  }

  /** Over the pictures, until there are others. Offline, no link leads anywhere. @type {(text: string, about?: {canLeave?: boolean}) => void} */
  say(text, { canLeave = true } = {}) {
    find(byId("message"), "p").textContent = text;
    findAs(byId("message"), "a", HTMLAnchorElement).hidden = !canLeave;
    byId("message").hidden = !text;
  }

  toggleHelp() {
    const help = byIdAs("help", HTMLDialogElement);
    if (help.open) help.close();
    else help.showModal();
  }
}
