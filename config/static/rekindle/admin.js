// Widths and heights of bars come from data, not from style attributes, so that the policy can stay strict.
document.addEventListener("DOMContentLoaded", () => {
  for (const bar of document.querySelectorAll("[data-percent]")) {
    bar.style.setProperty("--percent", `${bar.dataset.percent}%`);
  }
});
