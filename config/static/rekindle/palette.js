// What is picked from the palette is written where one typed last; long subjects are told.
(() => {
  let last;
  document.addEventListener("focusin", ({ target }) => {
    if (target.matches("[data-speaks]")) last = target;
  });
  const insert = (words, whole) => {
    if (!last?.isConnected) last = document.querySelector("[data-speaks]");
    if (!last) return;
    last.closest("details:not([open])")?.setAttribute("open", "");
    last.focus();
    if (whole) last.select();
    // Keeps the browser's own undo; where it is not known, the field is written to.
    if (!document.execCommand("insertText", false, words)) {
      last.setRangeText(words, last.selectionStart, last.selectionEnd, "end");
      last.dispatchEvent(new Event("input", { bubbles: true }));
    }
  };
  document.addEventListener("click", ({ target }) => {
    const entry = target.closest?.("[data-write]");
    if (entry) insert(entry.dataset.write, false);
    const subject = target.closest?.("[data-subject]");
    if (!subject) return;
    last = document.getElementById("id_subject");
    insert(subject.dataset.subject, true);
  });
  // The pointer must not take the cursor away from where one types.
  document.addEventListener("mousedown", (event) => event.target.closest?.("[data-write], [data-subject]") && event.preventDefault());
  document.addEventListener("input", ({ target }) => {
    if (!target.matches("[data-palette-search]")) return;
    const asked = target.value.trim().toLowerCase();
    for (const group of document.querySelectorAll("[data-palette-group]")) {
      let shown = 0;
      for (const row of group.querySelectorAll("[data-write]")) {
        row.parentElement.hidden = asked !== "" && !row.textContent.toLowerCase().includes(asked);
        shown += row.parentElement.hidden ? 0 : 1;
      }
      group.hidden = shown === 0;
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("[data-palette-search]")) event.preventDefault();
  });

  const count = (field) => {
    let note = field.parentElement.querySelector(".rk-count-letters");
    if (!note) {
      note = document.createElement("p");
      note.className = "rk-note rk-count-letters";
      field.after(note);
    }
    const bare = field.value.replace(/\{%.*?%\}/gs, "").replace(/\{\{.*?\}\}/gs, "{…}");
    const letters = [...new Intl.Segmenter().segment(bare)].length;
    const most = Number(field.dataset.count);
    const speaks = field.value.includes("{{") ? " and what stands for the variables" : "";
    note.textContent = `${letters} letters${speaks}; telephones show about ${most}.`;
    note.classList.toggle("rk-bad", letters > 2 * most);
  };
  document.addEventListener("input", ({ target }) => target.matches("[data-count]") && count(target));
  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("[data-count]").forEach(count));
})();
