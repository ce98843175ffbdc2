// Which case comes next, in a study of one's own cases and in a pool.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Cases } from "../../static/js/reading/cases.js";
import { Outbox } from "../../static/js/reading/outbox.js";
import { Queue } from "../../static/js/reading/queue.js";
import { keep } from "../../static/js/reading/storage.js";
import { answerBy, openPage } from "./browser.js";

const addresses = {
  slot: (slot) => `/slots/${slot}/`,
  next: (slot) => `/slots/${slot}/next/`,
  heartbeat: (slot) => `/slots/${slot}/heartbeat/`,
};
const BODY = { scores: [] };

let cases;
let queue;
let lost;

/** The queue of a page with what this browser has unsent. */
function open() {
  clearInterval(queue?.beats);
  lost = 0;
  cases = new Cases({ addressOf: addresses.slot });
  const outbox = new Outbox({ addressOf: addresses.slot, onChange() {}, onRefused() {} });
  queue = new Queue({ cases, outbox, addresses, onLost: () => lost++ });
}

/** The case on screen, without waiting for the one after it to be prepared. */
function enter(found) {
  queue.case = { is_pool: false, is_open: true, reading: null, next: null, previous: null, ...found };
  if (found.is_pool && !found.reading) queue.held.add(found.slot);
}

beforeEach(() => {
  openPage();
  open();
});
afterEach(() => clearInterval(queue.beats));

test("the server has told the next case with the one before", async () => {
  enter({ slot: "a", next: "b" });
  assert.equal(queue.known, "b");
  assert.equal(await queue.next(), "b");
});

test("a case that was read from here is not the next, and the server is asked on", async () => {
  const nextOf = { a: "b", b: "c", c: "d" };
  answerBy(({ address }) => ({ next: nextOf[address.split("/")[2]] }));
  enter({ slot: "a", next: "b" });
  queue.leave("b", BODY);
  assert.equal(queue.known, undefined);
  assert.equal(await queue.next(), "c");
});

test("where all that follows is read, nothing is next", async () => {
  const nextOf = { a: "b", b: "a" };
  answerBy(({ address }) => ({ next: nextOf[address.split("/")[2]] }));
  enter({ slot: "a", next: "b" });
  queue.leave("a", BODY);
  queue.leave("b", BODY);
  assert.equal(await queue.next(), null);
});

test("what the outbox has from before counts as read", () => {
  keep("outbox", "key", { key: "key", order: 1, slot: "b", body: BODY });
  open();
  enter({ slot: "a", next: "b" });
  assert.equal(queue.known, undefined);
});

test("a reading that was not taken is to be read again", () => {
  enter({ slot: "a", next: "b" });
  queue.leave("b", BODY);
  queue.takeBack("b");
  assert.equal(queue.known, "b");
});

test("leaving a case has it asked anew, since the server's answer changes", () => {
  answerBy(() => ({ slot: "a" }));
  cases.get("a").catch(() => {});
  queue.leave("a", BODY);
  assert.ok(!cases.loading.has("a"));
});

test("a pool is claimed from once, however often it is asked, telling what is held", async () => {
  const asked = [];
  answerBy(({ method, address, body }) => {
    asked.push([method, address, body.holding]);
    return { slot: "q" };
  });
  enter({ slot: "p", is_pool: true });
  assert.deepEqual(await Promise.all([queue.next(), queue.next()]), ["q", "q"]);
  assert.deepEqual(asked, [["POST", "/slots/p/next/", ["p"]]]);
  assert.equal(queue.known, "q");
});

test("so many cases are kept ready as the reader wants, each told by the one before", async () => {
  const nextOf = { b: "c", c: "d", d: "a" };
  const asked = [];
  enter({ slot: "a", next: "b" });
  queue.ahead = () => 3;
  cases.get = async (slot) => {
    asked.push(slot);
    return { slot, next: nextOf[slot] };
  };
  await queue.prepare();
  assert.deepEqual([...new Set(asked)], ["b", "c", "d"]);
  assert.ok(cases.kept >= 5);
});

test("of a pool as many are claimed ahead, until there are not plenty for all", async () => {
  const asked = [];
  answerBy(({ body }) => {
    asked.push([body.holding.length, body.is_ahead ?? false]);
    return asked.length < 3 ? { slot: `q${asked.length}` } : undefined;
  });
  cases.get = async (slot) => ({ slot });
  queue.ahead = () => 5;
  enter({ slot: "p", is_pool: true });
  await queue.prepare();
  assert.deepEqual(asked, [[1, false], [2, true], [3, true]]);
});

test("a case that comes next is claimed though one for later was just refused", async () => {
  answerBy(({ body }) => (body.is_ahead ? undefined : { slot: "q" }));
  enter({ slot: "p", is_pool: true });
  const later = queue.claim({ isAhead: true });
  assert.equal(await queue.next(), "q");
  assert.equal(await later, null);
});

test("an empty pool has no next case", async () => {
  answerBy(() => undefined);
  enter({ slot: "p", is_pool: true });
  assert.equal(await queue.next(), null);
});

test("the case before is the last one read here, in a pool", () => {
  const found = (slot) => ({ slot, is_pool: true, previous: "old" });
  assert.equal(queue.previousOf(found("p")), "old");
  queue.leave("p", BODY);
  queue.leave("q", BODY);
  assert.equal(queue.previousOf(found("r")), "q");
  assert.equal(queue.previousOf(found("q")), "p");
  assert.equal(queue.previousOf({ slot: "q", is_pool: false, previous: "x" }), "x");
});

test("a lease that ran out is told for the case on screen alone", async () => {
  answerBy(() => Response.json({ error: { message: "Somebody else has it." } }, { status: 409 }));
  enter({ slot: "p", is_pool: true });
  queue.held.add("q");
  await queue.beat();
  assert.equal(lost, 1);
  assert.equal(queue.held.size, 0);
});

test("a hidden page lets its leases run out", async () => {
  answerBy(() => assert.fail("Nothing is renewed."));
  enter({ slot: "p", is_pool: true });
  document.hidden = true;
  await queue.beat();
});
