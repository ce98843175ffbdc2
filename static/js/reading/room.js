// The reading room: one case at a time, from its first pixel to its way to the server.

import { Answers, forgetDraft, keepDraft, recallDraft } from "./answers.js";
import { LoggedOut, Unreachable } from "./server.js";
import { Tile, letterOf } from "./tiles.js";

const SLOW_MS = 200;
const RETRY_MS = 3_000;

const revisionOf = (reading) => reading?.revision ?? 0;

export class Room {
  constructor({ cases, outbox, viewer, chrome, clock, picker, addresses }) {
    Object.assign(this, { cases, outbox, viewer, chrome, clock, picker, addresses });
    this.images = document.getElementById("images");
    // slot -> the reading that the outbox has, or had since the page was opened: one that was
    // kept from before may be sent while its case, fetched without it, is still loading.
    this.sent = new Map(outbox.unsent.map(({ slot, body }) => [slot, body]));
    this.newlyRead = new Set(); // slots read since then, beside those that the server counted
  }

  /** Show a slot's case. Until it is there, the one before stays on screen. */
  async open(slot, given) {
    this.opening = slot;
    const slow = setTimeout(() => this.chrome.say("Loading…", { canLeave: false }), SLOW_MS);
    try {
      const found = await this.cases.get(slot, given);
      if (this.opening !== slot) return;
      this.chrome.say("");
      this.show(found);
    } catch (error) {
      if (this.opening === slot) this.waitFor(slot, error);
    } finally {
      clearTimeout(slow);
    }
  }

  waitFor(slot, error) {
    if (error instanceof Unreachable) {
      this.chrome.say(
        "The server cannot be reached. What you read is kept; the next case comes as soon as it can.",
        { canLeave: false },
      );
    } else if (error instanceof LoggedOut) {
      this.chrome.say("Log in again to go on. What you read is kept.");
      this.outbox.trouble = "login";
      this.outbox.tell();
    } else {
      this.chrome.say(error.message);
      return;
    }
    setTimeout(() => this.opening === slot && this.open(slot), RETRY_MS);
  }

  show(found) {
    this.picker.close();
    const draft = this.draftFor(found);
    this.case = found;
    this.readBefore ??= found.read;
    this.stored = this.storedFor(found);
    this.answers = new Answers(found, draft ?? this.stored);
    this.wanted = false;
    this.isFinished = false;
    this.clock.restart(draft?.active_ms ?? 0);
    this.tiles = found.images.map((_, place) => new Tile(found, place, this.reactions()));
    this.chrome.showCase(found); // first: it sets the layout that the viewer measures
    this.images.replaceChildren(...this.tiles.map(({ element }) => element));
    this.viewer.show(this.tiles.map(({ frame }) => frame), found.pictures);
    if (!found.is_open) for (const tile of this.tiles) tile.disable();
    history.replaceState(null, "", this.addresses.page(found.slot));
    this.chrome.showProgress({ read: this.read, total: found.total });
    this.chrome.showComment(this.answers.comment);
    this.focus(this.answers.missing()[0] ?? { place: 0, criterion: 0 });
    this.preload();
  }

  /** The next case is fetched and decoded while this one is read. */
  preload() {
    const next = this.next();
    if (next) this.cases.get(next).catch(() => {}); // told when it is opened
  }

  /** What is or will be stored: the server's answer may be older than what was sent from here. */
  storedFor({ slot, reading }) {
    return this.outbox.latestFor(slot) ?? this.sent.get(slot) ?? reading;
  }

  /** A draft that a reading given elsewhere has overtaken is out of date. */
  draftFor({ slot, reading }) {
    const draft = recallDraft(slot);
    const isOvertaken = draft?.upon !== undefined && draft.upon !== revisionOf(reading);
    return isOvertaken ? undefined : draft;
  }

  /** The case came before the one on screen was sent, so its `next` may be read by now. */
  next() {
    const { next } = this.case;
    return next && !this.sent.has(next) ? next : null;
  }

  /** A reading that was not taken; its case is asked for again where it is on screen. */
  takeBack({ slot }) {
    this.sent.delete(slot);
    this.newlyRead.delete(slot);
    const isOnScreen = this.case?.slot === slot && (this.isShown || this.isFinished);
    if (isOnScreen) this.open(slot);
  }

  reactions() {
    return {
      score: (place, criterion, value) => this.scoreAt({ place, criterion }, value),
      focus: (place, criterion) => this.hasFocus({ place, criterion }),
      flag: (place) => this.openFlags(place),
      unflag: (place, flag) => {
        this.answers.toggleFlag(place, flag, this.answers.flags[place][flag]);
        this.changed();
        this.focus({ ...this.at, place });
      },
    };
  }

  // Focus

  focus({ place, criterion }) {
    this.at = { place, criterion };
    this.tiles[place].focusStrip(criterion);
    this.refresh();
  }

  hasFocus(at) {
    this.at = at;
    this.refresh();
  }

  focusImage(place) {
    if (!this.isShown) return;
    this.focus({ place, criterion: place === this.at.place ? this.at.criterion : 0 });
  }

  /** Spatially: across to the next image, down through the criteria to the image below. */
  move(dx, dy) {
    if (!this.isShown) return;
    const columns = this.tiles.length > 1 ? 2 : 1;
    const last = this.case.criteria.length - 1;
    let { place, criterion } = this.at;
    const column = place % columns;
    if (dx) place += column + dx >= 0 && column + dx < columns ? dx : 0;
    else if (criterion + dy >= 0 && criterion + dy <= last) criterion += dy;
    else if (this.tiles[place + dy * columns]) {
      place += dy * columns;
      criterion = dy > 0 ? 0 : last;
    }
    if (this.tiles[place]) this.focus({ place, criterion });
  }

  /** The next scale in reading order; after the last one, what is still missing. */
  advance() {
    const { place, criterion } = this.at;
    if (criterion + 1 < this.case.criteria.length) this.focus({ place, criterion: criterion + 1 });
    else if (place + 1 < this.tiles.length) this.focus({ place: place + 1, criterion: 0 });
    else this.focus(this.answers.missing()[0] ?? this.at);
  }

  // Answers

  score(value) {
    this.scoreAt(this.at, value);
  }

  scoreAt(at, value) {
    if (!this.isWritable || value > 5) return;
    this.at = at;
    this.answers.score(at.place, at.criterion, value);
    this.changed();
    this.advance();
  }

  unscore() {
    if (!this.isWritable) return;
    this.answers.score(this.at.place, this.at.criterion, undefined);
    this.changed();
  }

  openFlags(place = this.at.place) {
    if (!this.isWritable || this.case.flags.length === 0) return;
    this.focusImage(place);
    const given = this.answers.flags[place];
    this.picker.open({ tile: this.tiles[place], flags: this.case.flags, given });
  }

  toggleFlag(flag, grade) {
    this.answers.toggleFlag(this.at.place, flag, grade);
    this.changed();
  }

  setComment(text) {
    if (!this.isWritable) return;
    this.answers.comment = text;
    this.changed();
  }

  get read() {
    return this.readBefore + this.newlyRead.size;
  }

  get isWritable() {
    return this.isShown && this.case.is_open;
  }

  /** Not while another case is on its way: keys would act on the one before. */
  get isShown() {
    return Boolean(this.case) && !this.isFinished && this.opening === this.case.slot;
  }

  get isUnchanged() {
    return this.answers.equals(this.stored);
  }

  changed() {
    this.saveDraft();
    this.refresh();
  }

  saveDraft() {
    if (!this.isShown) return;
    const { slot } = this.case;
    if (this.isUnchanged) return forgetDraft(slot);
    try {
      const isServers = this.stored === this.case.reading; // else its revision is not known yet
      const upon = isServers ? revisionOf(this.case.reading) : undefined;
      keepDraft(slot, { ...this.answers.content(), active_ms: this.clock.read(), upon });
    } catch {
      this.chrome.notice("This browser keeps no drafts: submit before you leave the case.");
    }
  }

  refresh() {
    this.tiles.forEach((tile, place) => {
      const focused = place === this.at.place ? this.at : undefined;
      tile.update(this.answers, { focused, wanted: this.wanted });
    });
    const criterion = this.case.criteria[this.at.criterion];
    this.chrome.showScale(criterion, {
      value: this.answers.valueAt(this.at.place, this.at.criterion),
      where: this.tiles.length > 1 ? letterOf(this.at.place) : "",
    });
    this.chrome.showSubmit(this.describeSubmit());
  }

  describeSubmit() {
    const missing = this.answers.missing().length;
    if (!this.case.is_open) return { label: "Next", isReady: true, hint: "This study is closed" };
    if (missing) return { label: "Submit", isReady: false, hint: `${missing} to score` };
    if (!this.stored) return { label: "Submit", isReady: true, hint: "Ready" };
    if (this.isUnchanged) return { label: "Next", isReady: true, hint: "Submitted" };
    return { label: "Submit change", isReady: true, hint: "Changed" };
  }

  // Going on

  submit() {
    if (this.isFinished) return this.leave();
    if (!this.isShown) return;
    if (!this.case.is_open || this.isUnchanged) return this.goOn();
    const [first] = this.answers.missing();
    if (first) {
      this.wanted = true;
      return this.focus(first);
    }
    this.send();
  }

  send() {
    const { slot, position } = this.case;
    const body = { ...this.answers.content(), active_ms: this.clock.read() };
    try {
      this.outbox.add({ slot, position, body });
    } catch {
      return this.chrome.notice("This browser's storage is full or switched off: nothing was sent.");
    }
    forgetDraft(slot);
    this.cases.drop(slot);
    if (!this.stored) this.newlyRead.add(slot);
    this.sent.set(slot, body);
    this.stored = body;
    this.refresh();
    this.goOn();
  }

  goOn() {
    const next = this.next();
    if (next) this.open(next);
    else this.finish();
  }

  finish() {
    this.isFinished = true;
    this.opening = null;
    this.picker.close();
    const { total, is_open: isOpen } = this.case;
    this.chrome.showProgress({ read: this.read, total });
    this.chrome.showSubmit({ label: "Work list", isReady: true, hint: "" });
    this.chrome.say(
      isOpen
        ? `All ${total} cases are read. Thank you. Enter leads to your work list, Z back to the last case.`
        : "This study is closed. Enter leads to your work list.",
    );
  }

  leave() {
    location.assign(this.addresses.worklist);
  }

  back() {
    if (this.isFinished) return this.open(this.case.slot);
    if (!this.isShown || !this.case.previous) return;
    this.saveDraft();
    this.open(this.case.previous);
  }
}
