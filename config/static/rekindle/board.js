// Cards are dragged between columns; the form on each card does the same by keyboard and without dragging.
(() => {
  let card = null;
  const columnOf = (event) => card && event.target.closest?.("[data-stage]");
  const unmark = () => document.querySelectorAll(".rk-over").forEach((column) => column.classList.remove("rk-over"));
  document.addEventListener("dragstart", (event) => {
    card = event.target.closest?.("[data-lead]") || null;
    if (card) event.dataTransfer.effectAllowed = "move";
  });
  document.addEventListener("dragend", () => {
    unmark();
    card = null;
  });
  document.addEventListener("dragover", (event) => {
    const column = columnOf(event);
    if (!column) return;
    event.preventDefault();
    unmark();
    column.classList.add("rk-over");
  });
  document.addEventListener("drop", (event) => {
    const column = columnOf(event);
    if (!column) return;
    event.preventDefault();
    const form = card.querySelector("form");
    const menu = form.elements.stage;
    if (card.closest("[data-stage]") === column) return;
    menu.value = column.dataset.stage;
    form.requestSubmit();
  });
})();
