// Everything around the pictures: header, legend, help, notices. It never moves the pictures.

import { FULL } from "./window.js";

const byId = (id) => document.getElementById(id);

export class Chrome {
  constructor() {
    this.anchors = [...byId("anchors").children];
  }

  showCase(found) {
    byId("study").textContent = found.study;
    byId("prompt-text").textContent = found.prompt || "No prompt";
    byId("position").textContent = `${found.position} of ${found.total}`;
    byId("instructions").textContent = found.instructions;
    byId("instructions").hidden = !found.instructions;
    byId("back").disabled = !found.previous;
    byId("comment-field").readOnly = !found.is_open;
    this.foldPrompt();
    Object.assign(byId("images").dataset, {
      count: found.images.length,
      criteria: found.criteria.length,
    });
    document.title = `${found.position} of ${found.total} · ${found.study} · Reading Room`;
  }

  /** A prompt that does not fit can be unfolded, by mouse or by Tab. */
  foldPrompt() {
    const text = byId("prompt-text");
    const isLong = text.scrollHeight > text.clientHeight + 2;
    text.classList.toggle("long", isLong);
    if (isLong) text.tabIndex = 0;
    else text.removeAttribute("tabindex");
  }

  showProgress({ read, total }) {
    byId("read-bar").style.width = `${(100 * read) / total}%`;
    byId("read-bar").parentElement.setAttribute("aria-valuenow", read);
    byId("read-bar").parentElement.setAttribute("aria-valuemax", total);
  }

  /** The scale of the criterion in focus, always in the same place. */
  showScale(criterion, { value, where }) {
    byId("criterion").textContent = criterion.name;
    byId("where").textContent = where;
    byId("question").textContent = criterion.question;
    this.anchors.forEach((item, score) => {
      item.querySelector("span").textContent = criterion.anchors[score];
      item.querySelector("button").title = criterion.anchors[score];
      item.querySelector("button").setAttribute("aria-pressed", score === value);
    });
  }

  showSubmit({ label, isReady, hint }) {
    byId("submit").firstChild.textContent = `${label} `;
    byId("submit").classList.toggle("primary", isReady);
    byId("hint").textContent = hint;
  }

  showComment(text) {
    byId("comment").classList.toggle("has-comment", text.trim() !== "");
    byId("comment-field").value = text;
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

  /** `actions` are {label, address?, does?}; an address opens beside, so that nothing is left. */
  notice(text, actions = []) {
    const notice = byId("notice");
    notice.querySelector("p").textContent = text;
    notice.querySelector(".actions").replaceChildren(...actions.map(actionOf));
    notice.hidden = !text;
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

function actionOf({ label, address, does }) {
  const made = document.createElement(address ? "a" : "button");
  made.textContent = label;
  if (address) Object.assign(made, { href: address, target: "_blank", className: "button" });
  else made.addEventListener("click", does);
  return made;
}
