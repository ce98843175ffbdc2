// The generation console: what it is made from, prompt sets, masks, and how many images and how long.

import { byId, detailOf, find, findAs, jsonOf, targetOf } from "../dom.js";

const form = document.getElementById("console");

if (form instanceof HTMLFormElement) {
  const prompts = findAs(form, "[name=prompts]", HTMLTextAreaElement);
  const version = findAs(form, "[name=model_version]", HTMLSelectElement);
  const modes = /** @type {RadioNodeList} */ (form.elements.namedItem("mode"));
  const promptSet = form.querySelector("select[name=prompt_set]");
  const numberIn = (/** @type {string} */ name) => findAs(form, `[name=${name}]`, HTMLInputElement).valueAsNumber || 0;
  const estimate = byId("estimate");
  /** @type {Record<string, string[]>} */
  const sets = jsonOf("prompt-sets");
  /** By model version, with “:masks” where masks are followed; of one that has made no such image yet it is not known. @type {Record<string, number | undefined>} */
  const secondsPerStep = jsonOf("speeds");

  const followers = new Set(jsonOf("followers"));
  const texts = byId("texts");
  const masks = document.getElementById("masks");
  const preview = document.getElementById("mask-preview");
  const tell = (/** @type {string} */ name) => document.body.dispatchEvent(new Event(name));

  const modeOf = () => modes.value;
  const readsText = () => modeOf() !== "m2i";
  const followsMasks = () => modeOf() !== "t2i";

  const wantsFit = () => readsText() && form.querySelector("[name=fits]:checked") !== null;

  const lines = () => prompts.value.split("\n").map((line) => line.trim()).filter(Boolean);

  const inWords = (/** @type {number} */ seconds) => {
    if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
    if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
    return `${(seconds / 3600).toFixed(1)} h`;
  };

  /** @type {(number: number, word: string) => string} */
  const plural = (number, word) => `${number.toLocaleString("en-GB")} ${word}${number === 1 ? "" : "s"}`;

  /** How many masks there are to follow, as the preview has counted them. */
  const maskCount = () => Number(preview?.querySelector("[data-accepted]")?.getAttribute("data-accepted") ?? 0);

  const describe = () => {
    const prompted = readsText() ? lines().length : 1;
    const masked = followsMasks() ? maskCount() : 1;
    const images = prompted * masked * numberIn("images_per_prompt");
    if (!images) {
      estimate.textContent = prompted ? "Choose at least one mask." : "Write at least one prompt.";
      return;
    }
    const most = images * (wantsFit() ? numberIn("tries") : 1);
    const speed = secondsPerStep[followsMasks() ? `${version.value}:masks` : version.value];
    const parts = [readsText() && plural(prompted, "prompt"), followsMasks() && plural(masked, "mask")];
    const time = speed === undefined
      ? `this version has made none${followsMasks() ? " that follow masks" : ""} yet, so nobody knows how long it takes`
      : `about ${[images, most].map((count) => inWords(count * speed * numberIn("steps"))).filter((words, place, all) => all.indexOf(words) === place).join(" to ")} at the pace of its last ones`;
    const tried = most > images ? `, up to ${most.toLocaleString("en-GB")} made until they fit` : "";
    estimate.textContent = `${plural(images, "image")} of ${parts.filter(Boolean).join(" with each of ")}${tried}: ${time}.`;
  };

  /** What is not read is not sent; a version that follows no masks offers text only. */
  const layOut = () => {
    const follows = followers.has(version.value);
    for (const radio of form.querySelectorAll("[name=mode]")) {
      if (radio instanceof HTMLInputElement) radio.disabled = !follows && radio.value !== "t2i";
    }
    if (!follows) modes.value = "t2i";
    byId("follows-none").hidden = follows;
    texts.hidden = prompts.disabled = !readsText();
    byId("fits").hidden = !readsText();
    for (const input of byId("fits").querySelectorAll("input")) input.disabled = !readsText();
    byId("tries").hidden = !wantsFit();
    if (promptSet instanceof HTMLSelectElement) promptSet.disabled = !readsText();
    const shown = masks ?? byId("no-masks");
    const appears = shown.hidden && followsMasks();
    shown.hidden = !followsMasks();
    if (appears) tell("masks-changed");
    describe();
  };

  const insert = (/** @type {string[]} */ added) => {
    const present = new Set(lines());
    const fresh = added.filter((prompt) => !present.has(prompt));
    prompts.value = [...lines(), ...fresh].join("\n");
    prompts.scrollTop = prompts.scrollHeight;
    tell("prompts-changed");
    describe();
  };

  const bar = find(form, ".prompt-sets");
  bar.hidden = false;
  bar.addEventListener("click", (event) => {
    const pressed = targetOf(event);
    const set = pressed.getAttribute("data-set");
    if (set) insert(sets[set]);
    if (pressed.hasAttribute("data-clear")) {
      prompts.value = "";
      tell("prompts-changed");
      describe();
    }
  });
  form.addEventListener("input", describe);
  form.addEventListener("change", layOut);

  /** @type {number | undefined} */
  let waiting;
  /** The picker brings other kinds and images with it, so the sheet waits for it. */
  const renew = () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => tell("masks-changed"), 250);
  };
  masks?.addEventListener("input", (event) => {
    if (!targetOf(event).hasAttribute("hx-post")) renew();
  });
  version.addEventListener("change", () => {
    if (followsMasks()) renew();
  });
  document.body.addEventListener("htmx:afterSettle", (event) => {
    const { id } = detailOf(event).target;
    if (id === "mask-picker") renew();
    if (id === "mask-preview") describe();
  });
  layOut();
}
