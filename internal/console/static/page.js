// Small comforts of every page. All of it works without.

// "/" moves to the search box.
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, select, textarea, [contenteditable]");
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || typing) return;
  const box = document.querySelector("[data-focus]") ?? document.querySelector(".jump input");
  if (box) {
    event.preventDefault();
    box.focus();
    box.select();
  }
});

for (const form of document.querySelectorAll("form.filter, form.jump")) {
  // Fields that are empty stay out of the address.
  form.addEventListener("formdata", ({ formData }) => {
    for (const [name, value] of [...formData]) {
      if (value === "") {
        const kept = formData.getAll(name).filter((v) => v !== "");
        formData.delete(name);
        for (const v of kept) formData.append(name, v);
      }
    }
  });
  // A choice takes effect at once.
  for (const field of form.querySelectorAll("[data-submit]")) {
    field.addEventListener("change", () => form.requestSubmit());
  }
}

// A click copies ids, keys and fingerprints, unless somebody is selecting.
document.addEventListener("click", async (event) => {
  const source = event.target.closest?.("[data-copy]");
  if (!source || !navigator.clipboard || !getSelection().isCollapsed) return;
  try {
    await navigator.clipboard.writeText(source.textContent.trim());
  } catch {
    return;
  }
  source.dataset.copied = "";
  setTimeout(() => delete source.dataset.copied, 1200);
});
