// Widths and heights of bars come from data, not from style attributes, so that the policy can stay strict.
(() => {
  // What htmx swaps in works as it appears, and its first field is chosen then: a moment later, as is usual, a click
  // would go past htmx, and somebody who writes in another field already would be torn out of it.
  htmx.config.defaultSettleDelay = 0;
  const draw = (root) => {
    for (const bar of root.querySelectorAll("[data-percent]")) {
      bar.style.setProperty("--percent", `${bar.dataset.percent}%`);
    }
  };
  document.addEventListener("DOMContentLoaded", () => draw(document));
  document.addEventListener("htmx:afterSwap", (event) => draw(event.target));
  // The theme writes the name of a chosen file into a text field of its own; a plain file field has none.
  const plain = () => {
    for (const field of document.querySelectorAll('input[type="file"]')) {
      if (!field.parentNode.parentNode.parentNode.querySelector('input[type="text"][disabled]')) field.hasChangeListener = true;
    }
  };
  document.addEventListener("DOMContentLoaded", plain);
  // A page that was sent to its own address is no new page to the browser, which then does not heed autofocus.
  document.addEventListener("DOMContentLoaded", () => document.querySelector("[data-focus]")?.focus());
  // The theme closes its menu at every resize of a window of 1280 pixels or less, and there opening it is one: it never opened
  // at 1280. Only another width counts.
  document.addEventListener("alpine:init", () => {
    const theirs = window.theme;
    window.theme = (...given) => {
      const made = theirs(...given);
      const resized = made.themeBindings["x-resize.window"];
      let width = window.innerWidth;
      made.sidebarOpen = made.sidebarOpen();
      made.themeBindings["x-resize.window"] = function () {
        if (window.innerWidth !== width) resized.call(this);
        width = window.innerWidth;
      };
      return made;
    };
  });
})();
