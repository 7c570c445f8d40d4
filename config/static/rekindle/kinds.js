// Of every kind's fields, show those of the chosen kind; without a script all of them stand there.
(() => {
  const rowOf = (field) => field.closest(".form-row, .field-row, [class*='field-']") || field.parentElement;
  const show = (menu) => {
    const own = menu.dataset.kindMenu;
    const prefix = menu.name.slice(0, menu.name.length - own.length);
    for (const field of document.querySelectorAll(`[data-kind-of="${own}"]`)) {
      const name = field.name || field.id.replace(/^id_/, "");
      if (!name.startsWith(prefix)) continue;
      rowOf(field).hidden = !field.dataset.kinds.split(" ").includes(menu.value);
    }
  };
  const showAll = () => document.querySelectorAll("[data-kind-menu]").forEach(show);
  document.addEventListener("DOMContentLoaded", showAll);
  document.addEventListener("formset:added", showAll);
  document.addEventListener("change", (event) => event.target.matches("[data-kind-menu]") && show(event.target));
})();
