// The generation console: what it is made from, prompt sets, masks, and how many images and how long.

const form = document.getElementById("console");

if (form) {
  const prompts = form.elements.prompts;
  const estimate = document.getElementById("estimate");
  const sets = JSON.parse(document.getElementById("prompt-sets").textContent);
  const secondsPerStep = JSON.parse(document.getElementById("speeds").textContent);

  const followers = new Set(JSON.parse(document.getElementById("followers").textContent));
  const texts = document.getElementById("texts");
  const masks = document.getElementById("masks");
  const preview = document.getElementById("mask-preview");
  const tell = (name) => document.body.dispatchEvent(new Event(name));

  const modeOf = () => form.elements.mode.value;
  const readsText = () => modeOf() !== "m2i";
  const followsMasks = () => modeOf() !== "t2i";

  const lines = () => prompts.value.split("\n").map((line) => line.trim()).filter(Boolean);

  const inWords = (seconds) => {
    if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
    if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
    return `${(seconds / 3600).toFixed(1)} h`;
  };

  const plural = (number, word) => `${number.toLocaleString("en-GB")} ${word}${number === 1 ? "" : "s"}`;

  /** How many masks there are to follow, as the preview has counted them. */
  const maskCount = () => Number(preview?.querySelector("[data-accepted]")?.dataset.accepted ?? 0);

  const describe = () => {
    const prompted = readsText() ? lines().length : 1;
    const masked = followsMasks() ? maskCount() : 1;
    const images = prompted * masked * (form.elements.images_per_prompt.valueAsNumber || 0);
    if (!images) {
      estimate.textContent = prompted ? "Choose at least one mask." : "Write at least one prompt.";
      return;
    }
    const speed = secondsPerStep[form.elements.model_version.value];
    const seconds = images * speed * (form.elements.steps.valueAsNumber || 0);
    const parts = [readsText() && plural(prompted, "prompt"), followsMasks() && plural(masked, "mask")];
    const time = speed === undefined
      ? "this version has made none yet, so nobody knows how long it takes"
      : `about ${inWords(seconds)} at the pace of its last ones`;
    estimate.textContent = `${plural(images, "image")} of ${parts.filter(Boolean).join(" with each of ")}: ${time}.`;
  };

  /** What is not read is not sent; a version that follows no masks offers text only. */
  const layOut = () => {
    const follows = followers.has(form.elements.model_version.value);
    for (const radio of form.elements.mode) radio.disabled = !follows && radio.value !== "t2i";
    if (!follows) form.elements.mode.value = "t2i";
    document.getElementById("follows-none").hidden = follows;
    texts.hidden = prompts.disabled = !readsText();
    if (form.elements.prompt_set) form.elements.prompt_set.disabled = !readsText();
    const shown = masks ?? document.getElementById("no-masks");
    const appears = shown.hidden && followsMasks();
    shown.hidden = !followsMasks();
    if (appears) tell("masks-changed");
    describe();
  };

  const insert = (added) => {
    const present = new Set(lines());
    const fresh = added.filter((prompt) => !present.has(prompt));
    prompts.value = [...lines(), ...fresh].join("\n");
    prompts.scrollTop = prompts.scrollHeight;
    tell("prompts-changed");
    describe();
  };

  const bar = form.querySelector(".prompt-sets");
  bar.hidden = false;
  bar.addEventListener("click", (event) => {
    if (event.target.dataset.set) insert(sets[event.target.dataset.set]);
    if ("clear" in event.target.dataset) {
      prompts.value = "";
      tell("prompts-changed");
      describe();
    }
  });
  form.addEventListener("input", describe);
  form.addEventListener("change", layOut);

  let waiting;
  /** The picker brings other kinds and images with it, so the sheet waits for it. */
  const renew = () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => tell("masks-changed"), 250);
  };
  masks?.addEventListener("input", ({ target }) => {
    if (!target.hasAttribute("hx-post")) renew();
  });
  form.elements.model_version.addEventListener("change", () => followsMasks() && renew());
  document.body.addEventListener("htmx:afterSettle", ({ detail }) => {
    if (detail.target.id === "mask-picker") renew();
    if (detail.target.id === "mask-preview") describe();
  });
  layOut();
}
