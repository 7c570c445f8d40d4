// Messages of a step set against each other: rows come and go in place, shares are shown as percent.
(() => {
  const rowsOf = (box) => [...box.querySelectorAll(".rk-variant")];
  const part = (row, name) => row.querySelector(`[data-part="${name}"]`);
  // The admin numbers the fields of a new step in ids and names alone, so the name is read from the id.
  const nameOf = (box) => box.id.replace(/^id_/, "");
  const single = (box) => document.querySelector(`[name="${nameOf(box).replace(/variants$/, "template")}"]`);

  const show = (box) => {
    const rows = rowsOf(box);
    const whole = rows.reduce((sum, row) => sum + (Number(part(row, "weight").value) || 0), 0);
    for (const row of rows) {
      const weight = Number(part(row, "weight").value) || 0;
      row.querySelector("[data-variant-share]").value = whole ? `${Math.round((100 * weight) / whole)} %` : "";
    }
    box.querySelector("[data-variant-add]").textContent = rows.length ? "Add another message" : "Compare with another message";
    const field = single(box);
    const place = field && (field.closest(".field-template") || field.closest(".field-row"));
    if (place) place.classList.toggle("rk-instead", rows.length > 0);
  };

  const add = (box, label, template, weight) => {
    box.querySelector("[data-variant-list]").append(box.querySelector("template").content.cloneNode(true));
    const row = rowsOf(box).at(-1);
    for (const [name, value] of Object.entries({ label, template, weight })) {
      part(row, name).name = `${nameOf(box)}-${name}`;
      part(row, name).value = value;
    }
    return row;
  };

  const free = (box) => {
    const taken = new Set(rowsOf(box).map((row) => part(row, "label").value.trim().toUpperCase()));
    return [..."ABCDEFGH"].find((letter) => !taken.has(letter)) || "";
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-variant-add], [data-variant-drop]");
    if (!button) return;
    const box = button.closest(".rk-variants");
    const field = single(box);
    if (button.matches("[data-variant-add]")) {
      // The message the step sends already is the first to compare.
      if (!rowsOf(box).length) add(box, "A", field ? field.value : "", 50);
      part(add(box, free(box), "", 50), "template").focus();
    } else {
      button.closest(".rk-variant").remove();
      const left = rowsOf(box);
      if (left.length === 1) {
        // One message is no comparison: it is simply what the step sends.
        if (field) field.value = part(left[0], "template").value;
        left[0].remove();
      }
      box.querySelector("[data-variant-add]").focus();
    }
    show(box);
    box.dispatchEvent(new Event("input", { bubbles: true }));
  });
  document.addEventListener("input", (event) => {
    const box = event.target.closest(".rk-variants");
    if (box) show(box);
  });
  const ready = () => document.querySelectorAll(".rk-variants").forEach(show);
  document.addEventListener("DOMContentLoaded", ready);
  document.addEventListener("formset:added", ready);
})();
