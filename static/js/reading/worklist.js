// The work list sends what the reading page left unsent, and tells what was not taken.

/** @import { OutboxState, RefusedReading, Trouble } from "./types.js" */

import { byId } from "../dom.js";
import { Outbox } from "./outbox.js";
import { keepFor } from "./storage.js";

const notice = byId("kept");
const { reader = "", worklist } = notice.dataset;
keepFor(reader);
let hadUnsent = false;

const outbox = new Outbox({
  addressOf: (slot) => `/api/slots/${slot}/readings/`,
  onChange: show,
  onRefused: () => {}, // told by `show`
});

/** @param {OutboxState} state */
function show({ unsent, refused, trouble }) {
  if (hadUnsent && unsent.length === 0) location.reload(); // the counts are out of date
  hadUnsent = unsent.length > 0;
  notice.replaceChildren(...(hadUnsent ? [textOf(unsent.length, trouble)] : refused.flatMap(tell)));
  notice.hidden = !notice.hasChildNodes();
}

/** @type {(count: number, trouble: Trouble) => string} */
function textOf(count, trouble) {
  const readings = count === 1 ? "One reading is" : `${count} readings are`;
  const kept = `${readings} kept in this browser`;
  if (trouble === "offline") return `${kept} until the server can be reached again.`;
  if (trouble === "login") return `${kept}. Log in again to send what you read.`;
  return `${kept} and on the way to the server.`;
}

/** @param {RefusedReading} refused */
function tell({ slot, position, reason }) {
  const line = document.createElement("p");
  const link = Object.assign(document.createElement("a"), { href: `${worklist}${slot}/` });
  link.textContent = "Show the case";
  line.append(`The reading of case ${position} was not taken. ${reason} Your answers are kept. `, link);
  return [line];
}

outbox.flush();
