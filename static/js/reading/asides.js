// Between cases is the time for what is not about this one: a pause of the study, a break, a new phase.

/** @import { Chrome } from "./chrome.js" */
/** @import { Clock } from "./clock.js" */
/** @import { Notices } from "./notices.js" */
/** @import { Sitting } from "./sitting.js" */
/** @import { LoadedCase, TestCase } from "./types.js" */

const PAUSED_MS = 15_000;
const KINDS = ["break", "elsewhere", "lost", "paused"];

export class Asides {
  /** @type {number | undefined} */
  pauseTimer;

  /**
   * @param {object} parts
   * @param {Notices} parts.notices
   * @param {Chrome} parts.chrome
   * @param {Clock} parts.clock
   * @param {Sitting} parts.sitting
   * @param {(slot: string) => Promise<TestCase | undefined>} parts.ask The case as the server has it now, where it can be had.
   * @param {(slot: string) => boolean} parts.isOnScreen
   * @param {() => void} parts.onReopened The study on screen goes on.
   * @param {() => void} parts.onDone Gives the focus back.
   */
  constructor({ notices, chrome, clock, sitting, ask, isOnScreen, onReopened, onDone }) {
    this.notices = notices;
    this.chrome = chrome;
    this.clock = clock;
    this.sitting = sitting;
    this.ask = ask;
    this.isOnScreen = isOnScreen;
    this.onReopened = onReopened;
    this.onDone = onDone;
  }

  /** @param {LoadedCase} found */
  tell(found) {
    this.clear("motion");
    clearTimeout(this.pauseTimer);
    if (found.state === "paused") this.tellPaused(found.slot);
    else if (this.sitting.isBreakDue(found.break_every_min)) this.tellBreak();
    this.chrome.showPhase(found, { onClose: this.onDone });
  }

  /** @param {string[]} more */
  clear(...more) {
    this.notices.clear(...KINDS, ...more);
  }

  /** @param {string} kind */
  dismiss(kind) {
    this.notices.clear(kind);
    this.onDone();
  }

  tellBreak() {
    const text = `You have been reading for ${this.sitting.minutes} minutes. A short break rests the eyes.`;
    this.clock.rest();
    this.notices.say("break", text, [{ label: "Go on", does: () => this.dismiss("break") }]);
  }

  /** @param {string} slot */
  tellPaused(slot) {
    this.notices.say(
      "paused",
      "This study is paused. What you answered is kept; you can go on when its coordinator reopens it.",
    );
    this.pauseTimer = setTimeout(() => this.lookAgain(slot), PAUSED_MS);
  }

  /** Whether a paused study is open again; the picture is left as it is until then. @param {string} slot */
  async lookAgain(slot) {
    const found = await this.ask(slot);
    if (!this.isOnScreen(slot)) return;
    if (found === undefined || found.state === "paused") {
      this.pauseTimer = setTimeout(() => this.lookAgain(slot), PAUSED_MS);
    } else {
      this.onReopened();
    }
  }
}
