// Puts a prompt set's prompts into the console's field when the set is chosen.

const part = document.querySelector(".from-prompt-set");

if (part) {
  const chosen = part.querySelector("select");
  const prompts = chosen.form.elements.prompts;

  chosen.addEventListener("change", async () => {
    if (!chosen.value) return;
    const address = part.dataset.address.replace("/0/", `/${chosen.value}/`);
    const response = await fetch(address);
    if (!response.ok) return; // the server fills an empty field itself
    prompts.value = (await response.text()).trimEnd();
    prompts.dispatchEvent(new Event("input", { bubbles: true }));
  });
}
