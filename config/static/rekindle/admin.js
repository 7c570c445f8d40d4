// Widths and heights of bars come from data, not from style attributes, so that the policy can stay strict.
(() => {
  const draw = (root) => {
    for (const bar of root.querySelectorAll("[data-percent]")) {
      bar.style.setProperty("--percent", `${bar.dataset.percent}%`);
    }
  };
  document.addEventListener("DOMContentLoaded", () => draw(document));
  document.addEventListener("htmx:afterSwap", (event) => draw(event.target));
})();
