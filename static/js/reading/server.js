// Talking to the server. Every failure is one of three: unreachable, logged out, refused.

import { readerHere } from "./storage.js";

export class Unreachable extends Error {}
export class LoggedOut extends Error {}

/** The server understood and said no; sending the same again would not help. */
export class Refused extends Error {
  constructor(status, error) {
    super([error.message, error.remedy].filter(Boolean).join(" "));
    this.status = status;
  }
}

/** With the reader whose page this is: another one may have logged in since, in another tab. */
const headers = () => ({ Accept: "application/json", "X-Reader": readerHere() });

const csrfToken = () => /(?:^|;\s*)csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? "";

export async function ask(address, options = {}) {
  let response;
  try {
    // A page that wants a login redirects; following would give us its HTML as an answer.
    response = await fetch(address, { credentials: "same-origin", redirect: "manual", ...options });
  } catch (error) {
    throw new Unreachable(error.message);
  }
  if (response.type === "opaqueredirect" || response.status === 401) throw new LoggedOut();
  if (response.status >= 500 || response.status === 429) throw new Unreachable();
  if (!response.ok) throw await failureOf(response);
  return response;
}

async function failureOf(response) {
  const body = await response.json().catch(() => ({}));
  const error = body.error ?? { message: `The server answered ${response.status}.` };
  // A new login makes a new CSRF token, so both mean the same to a reader: log in again.
  const loggedOut = error.code === "not_authenticated" || /^CSRF Failed/.test(error.message);
  return loggedOut ? new LoggedOut() : new Refused(response.status, error);
}

export async function askJson(address) {
  const response = await ask(address, { headers: headers() });
  return response.json();
}

function send(method, address, body) {
  return ask(address, {
    method,
    keepalive: true, // leaving the page does not stop it
    headers: { ...headers(), "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
    body: JSON.stringify(body),
  });
}

export const post = (address, body) => send("POST", address, body);
export const put = (address, body) => send("PUT", address, body);
