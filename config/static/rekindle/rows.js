// Rows of the theme that fold away are opened with the pointer only: here by keyboard, too.
(() => {
  const ready = () => {
    for (const head of document.querySelectorAll('.form-group.original[x-data*="openRow"] > .form-row > h3')) {
      head.tabIndex = 0;
      head.setAttribute("role", "button");
    }
  };
  document.addEventListener("DOMContentLoaded", ready);
  document.addEventListener("keydown", (event) => {
    if (!["Enter", " "].includes(event.key) || !event.target.matches('h3[role="button"]')) return;
    event.preventDefault();
    event.target.click();
  });
})();
