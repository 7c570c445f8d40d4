// The page Flow: parts of it are swapped in place, cards are dragged, and nothing typed is lost without asking.
(() => {
  const flow = () => document.getElementById("rk-flow");
  const form = () => document.querySelector("[data-flow-form]");
  let dirty = false;
  let goes = false;
  let deletes = false;

  const mark = (is) => {
    dirty = is;
    const note = document.querySelector("[data-flow-dirty]");
    if (note) note.hidden = !is;
  };
  const trouble = (words) => {
    const bar = document.querySelector("[data-flow-trouble]");
    bar.textContent = words;
    bar.hidden = false;
    bar.scrollIntoView({ block: "nearest" });
  };
  const isOurs = (node) => node instanceof Element && flow()?.contains(node) && !node.closest("[data-rule]");

  for (const kind of ["input", "change"]) {
    document.addEventListener(kind, ({ target }) => form()?.contains(target) && !target.matches("[data-rule-try]") && mark(true));
  }
  window.addEventListener("beforeunload", (event) => dirty && event.preventDefault());
  // A plain post of the form itself, or of another page's button, leaves on purpose.
  document.addEventListener("submit", ({ target }) => target === form() && (dirty = false));

  // Whatever is swapped takes the form along: ask first, if something typed would go with it.
  document.addEventListener("htmx:confirm", (event) => {
    const { elt } = event.detail;
    if (!isOurs(elt) || elt === form() || !dirty) return;
    const pressed = event.detail.triggeringEvent?.submitter ?? elt;
    if (pressed.matches("[data-flow-drop]")) return;
    event.preventDefault();
    if (confirm("This step is not saved yet. Go on without what you typed?")) event.detail.issueRequest(true);
  });
  document.addEventListener("htmx:beforeRequest", ({ detail }) => {
    if (detail.elt.matches("[data-rule-act]") && form()?.contains(detail.elt)) mark(true);
    if (!isOurs(detail.elt)) return;
    const pressed = detail.requestConfig.triggeringEvent?.submitter ?? detail.elt;
    goes = pressed.matches("[data-goes], [data-step], .rk-plus a");
    deletes = pressed.value === "remove";
    flow().classList.add("rk-flow-asking");
  });
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    if (detail.target !== flow()) return;
    flow().classList.remove("rk-flow-asking");
    if (detail.xhr.status === 200 && !detail.xhr.responseText.includes('id="rk-flow"')) {
      detail.shouldSwap = false;
      trouble("You are no longer logged in. Log in on another tab; what you typed here is kept.");
    }
  });
  document.addEventListener("htmx:afterSettle", ({ detail }) => {
    if (detail.elt?.id !== "rk-flow" && detail.target?.id !== "rk-flow") return;
    mark(Boolean(form()?.matches("[data-flow-kept]")));
    // Other scripts look at what is new on these two.
    document.dispatchEvent(new Event("formset:added"));
    const wrong = document.querySelector("#rk-panel [role=alert]");
    const undo = deletes && document.querySelector("[data-flow-undo]");
    if (undo) undo.focus();
    else if (goes || wrong) document.getElementById("rk-panel-title")?.focus();
    goes = deletes = false;
    const up = document.getElementById("rk-up");
    if (document.activeElement === document.body && up) (up.disabled ? document.getElementById("rk-down") : up).focus({ preventScroll: true });
  });
  for (const kind of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(kind, ({ detail }) => {
      if (!isOurs(detail.elt)) return;
      flow().classList.remove("rk-flow-asking");
      trouble(detail.xhr?.status === 403 ? "You may not change this campaign." : "That could not be done just now. What you typed is kept; try once more.");
    });
  }

  // Cards are dragged to where a step could be added; the buttons beside the form do the same.
  let dragged;
  const places = () => document.querySelectorAll(".rk-plus");
  document.addEventListener("dragstart", (event) => {
    dragged = event.target.closest?.("[data-step]");
    if (!dragged) return;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.dataset.step);
    setTimeout(() => flow().classList.add("rk-flow-dragging"));
  });
  const overOf = (event) => dragged && event.target.closest?.(".rk-plus");
  document.addEventListener("dragover", (event) => {
    const over = overOf(event);
    places().forEach((place) => place.classList.toggle("rk-plus-over", place === over));
    if (over) event.preventDefault();
  });
  document.addEventListener("dragend", () => {
    flow()?.classList.remove("rk-flow-dragging");
    places().forEach((place) => place.classList.remove("rk-plus-over"));
    dragged = undefined;
  });
  document.addEventListener("drop", (event) => {
    const over = overOf(event);
    const put = document.getElementById("rk-flow-put");
    if (!over || !put) return;
    event.preventDefault();
    put.elements.key.value = dragged.dataset.step;
    put.elements.after.value = over.dataset.after;
    put.elements.path.value = over.dataset.path;
    put.requestSubmit();
  });
})();
