// The report beside its image: `W` goes into the text, Escape leaves it, Ctrl+Enter submits from it.

/** @import { Answers } from "./answers.js" */
/** @import { LoadedCase } from "./types.js" */
/** @import { Reactions } from "./modes/base.js" */

import { copyOf, find, findAs } from "../dom.js";

export class ReportPane {
  /** @param {LoadedCase} testCase */
  constructor(testCase) {
    this.hasDraft = testCase.texts.length > 0;
    this.element = copyOf("report-template");
    this.field = findAs(this.element, "textarea", HTMLTextAreaElement);
    this.said = find(this.element, ".report-said");
  }

  /** @param {Pick<Reactions, "write" | "leave" | "submit">} on */
  listen(on) {
    this.field.addEventListener("input", () => on.write(this.field.value));
    this.field.addEventListener("keydown", (event) => {
      const isSubmit = event.key === "Enter" && (event.ctrlKey || event.metaKey);
      if (event.key !== "Escape" && !isSubmit) return;
      event.preventDefault();
      event.stopPropagation();
      on.leave();
      if (isSubmit) on.submit();
    });
  }

  /** @type {(answers: Answers, state: {isWanted: boolean}) => void} */
  update(answers, { isWanted }) {
    if (this.field.value !== answers.report.text) this.field.value = answers.report.text;
    this.said.textContent = this.sentence(answers);
    this.element.classList.toggle("wanted", isWanted);
  }

  /** What is to be done next. @param {Answers} answers */
  sentence({ isChanged, isReportWhole, report }) {
    if (!report.text.trim()) return "Write the report.";
    if (!this.hasDraft) return "Written without a draft.";
    if (isChanged) return isReportWhole ? "Changed." : "Changed: say why, by digits.";
    return report.isAccepted ? "The draft is accepted as it is." : "A draft: correct it, or accept it with 0.";
  }

  /** Not into the text, so that keys go on being commands. */
  focus() {
    this.element.focus({ preventScroll: true });
  }

  write() {
    this.field.focus();
  }

  disable() {
    this.field.readOnly = true;
  }
}
