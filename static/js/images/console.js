// The generation console: inserts prompt sets, and says how many images and how long.

const form = document.getElementById("console");

if (form) {
  const prompts = form.elements.prompts;
  const estimate = document.getElementById("estimate");
  const sets = JSON.parse(document.getElementById("prompt-sets").textContent);
  const secondsPerStep = JSON.parse(document.getElementById("speeds").textContent);

  const lines = () => prompts.value.split("\n").map((line) => line.trim()).filter(Boolean);

  const inWords = (seconds) => {
    if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
    if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
    return `${(seconds / 3600).toFixed(1)} h`;
  };

  const describe = () => {
    const count = lines().length;
    const perPrompt = form.elements.images_per_prompt.valueAsNumber || 0;
    const images = count * perPrompt;
    if (!images) {
      estimate.textContent = "Write at least one prompt.";
      return;
    }
    const speed = secondsPerStep[form.elements.model_version.value];
    const seconds = images * speed * (form.elements.steps.valueAsNumber || 0);
    const plural = (number, word) => `${number.toLocaleString("en-GB")} ${word}${number === 1 ? "" : "s"}`;
    const time = speed === undefined
      ? "this version has made none yet, so nobody knows how long it takes"
      : `about ${inWords(seconds)} at the pace of its last ones`;
    estimate.textContent = `${plural(images, "image")} of ${plural(count, "prompt")}: ${time}.`;
  };

  const insert = (added) => {
    const present = new Set(lines());
    const fresh = added.filter((prompt) => !present.has(prompt));
    prompts.value = [...lines(), ...fresh].join("\n");
    prompts.scrollTop = prompts.scrollHeight;
    describe();
  };

  const bar = form.querySelector(".prompt-sets");
  bar.hidden = false;
  bar.addEventListener("click", (event) => {
    if (event.target.dataset.set) insert(sets[event.target.dataset.set]);
    if ("clear" in event.target.dataset) {
      prompts.value = "";
      describe();
    }
  });
  form.addEventListener("input", describe);
  describe();
}
