// Warns before the login ends and says when it has. The page itself stays as it is.
//
// The server knows when that is; asking it prolongs nothing. Tabs tell each other.

import { detailOf, find } from "./dom.js";

const { user = "", session = "", login = "", remaining, warn } = document.body.dataset;
const CHECK_AGAIN_S = 15;
const channel = new BroadcastChannel("reading-room-session");

class LoggedOut extends Error {}

const now = () => Date.now() / 1000;
const csrfToken = () => /(?:^|;\s*)csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? "";

// --- The server ----------------------------------------------------------------------------

/** Seconds until the login ends, as the server has it; throws LoggedOut or a network error. @param {"GET" | "POST"} method */
async function ask(method) {
  const response = await fetch(session, {
    method,
    headers: { Accept: "application/json", "X-Reader": user, "X-CSRFToken": csrfToken() },
  });
  if (response.status === 401) throw new LoggedOut();
  if (!response.ok) throw new Error(`The server answered ${response.status}.`);
  return (await response.json()).remaining_s;
}

// --- What the page knows -------------------------------------------------------------------

const warnS = Number(warn);
/** @type {number | undefined} */
let timer;
let dueAt = Infinity;
let lastInputAt = -Infinity;
let isLimitReached = false;

/** @param {number} seconds */
function checkIn(seconds) {
  clearTimeout(timer);
  dueAt = now() + seconds;
  timer = setTimeout(check, Math.max(1, seconds) * 1000);
}

async function check() {
  await attempt("GET", (left) => {
    const isHere = now() - lastInputAt < warnS;
    return left <= warnS && isHere && !isLimitReached ? extend() : learn(left);
  });
}

const extend = () =>
  attempt("POST", (left) => {
    isLimitReached = left <= warnS; // the login has an end that nothing moves
    tellTabs(left);
    learn(left);
  });

/** @type {(method: "GET" | "POST", use: (left: number) => void) => Promise<void>} */
async function attempt(method, use) {
  try {
    await use(await ask(method));
  } catch (error) {
    if (error instanceof LoggedOut) showEnd("You are logged out.");
    else checkIn(CHECK_AGAIN_S); // the server cannot be reached; the page says so elsewhere
  }
}

/** @param {number} left */
function learn(left) {
  if (left > warnS) {
    hide();
    checkIn(left - warnS);
  } else {
    showWarning(left);
    checkIn(Math.min(CHECK_AGAIN_S, left + 1));
  }
}

// --- Other tabs ----------------------------------------------------------------------------

const tellTabs = (/** @type {number} */ left) => channel.postMessage({ user, endsAt: now() + left });

channel.addEventListener("message", ({ data }) => {
  if (data.user !== user) return showEnd("Somebody else is logged in in this browser.");
  renewTokens();
  isLimitReached = false;
  return learn(data.endsAt - now());
});

/** A login makes a new CSRF token, and the forms of this page still have the old one. */
function renewTokens() {
  const token = csrfToken();
  for (const field of document.getElementsByName("csrfmiddlewaretoken")) field.setAttribute("value", token);
  document.body.setAttribute("hx-headers", JSON.stringify({ "X-CSRFToken": token }));
}

// --- The notice ----------------------------------------------------------------------------

const notice = Object.assign(document.createElement("section"), {
  className: "session-notice",
  hidden: true,
});
notice.setAttribute("role", "alert");
find(document, ".skip-link").after(notice);

/** @type {(text: string, action?: HTMLElement) => void} */
function show(text, action) {
  if (notice.dataset.text === text && !notice.hidden) return; // read out once
  notice.dataset.text = text;
  const line = document.createElement("p");
  line.textContent = text;
  notice.replaceChildren(line, ...(action ? [action] : []));
  notice.hidden = false;
}

function hide() {
  notice.hidden = true;
  notice.replaceChildren();
}

/** @param {number} left */
function showWarning(left) {
  const minutes = Math.max(1, Math.round(left / 60));
  const time = minutes === 1 ? "within a minute" : `in ${minutes} minutes`;
  if (isLimitReached) {
    show(`Your login ends ${time}; it has lasted as long as one may. Save, and log in again.`);
    return;
  }
  const button = document.createElement("button");
  button.className = "primary";
  button.textContent = "Stay logged in";
  button.addEventListener("click", extend);
  show(`You will be logged out ${time}.`, button);
}

/** @param {string} text */
function showEnd(text) {
  clearTimeout(timer);
  dueAt = Infinity;
  const link = document.createElement("a");
  Object.assign(link, { href: login, target: "_blank", className: "button primary" });
  link.textContent = "Log in in a new tab";
  show(`${text} What is on this page stays here.`, link);
}

// --- Hands, and pages that refresh themselves ----------------------------------------------

for (const kind of ["keydown", "pointerdown", "wheel"]) {
  const note = (/** @type {Event} */ event) => {
    if (event.isTrusted && notice.hidden) lastInputAt = now();
  };
  document.addEventListener(kind, note, { capture: true, passive: true });
}
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && now() > dueAt) check(); // timers sleep with the machine
});
window.addEventListener("pageshow", (event) => {
  if (event.persisted) check();
});

// What htmx asks for without a hand having moved prolongs no login.
document.addEventListener("htmx:configRequest", (event) => {
  const detail = detailOf(event);
  if (!detail.triggeringEvent?.isTrusted) detail.headers["X-Background"] = "1";
});
// Where the login has ended, a fragment's answer is the login page: it has no place in this one.
document.addEventListener("htmx:beforeSwap", (event) => {
  const detail = detailOf(event);
  const answered = new URL(detail.xhr.responseURL || location.href).pathname;
  if (answered !== new URL(login, location.href).pathname) return;
  detail.shouldSwap = false;
  showEnd("You are logged out.");
});

tellTabs(Number(remaining));
learn(Number(remaining));
