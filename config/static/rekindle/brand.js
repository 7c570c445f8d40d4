// The brand kit: a colour picker beside each colour that is typed, and the preview follows what is typed.
document.addEventListener("DOMContentLoaded", () => {
  for (const field of document.querySelectorAll("input[data-colour]")) {
    const picker = Object.assign(document.createElement("input"), { type: "color", className: "rk-colour", value: field.value });
    picker.setAttribute("aria-label", `Pick: ${document.querySelector(`label[for="${field.id}"]`)?.textContent.trim() || field.name}`);
    picker.addEventListener("input", () => {
      field.value = picker.value;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    });
    field.addEventListener("input", () => {
      if (/^#[0-9a-f]{6}$/i.test(field.value)) picker.value = field.value;
    });
    const pair = Object.assign(document.createElement("div"), { className: "rk-typed" });
    field.replaceWith(pair);
    pair.append(field, picker);
  }
  const form = document.getElementById("brandkit_form");
  const button = document.getElementById("rk-preview-button");
  if (!form || !button) return;
  let waiting;
  const show = () => {
    // Not a submit of the form: what was typed is still unsaved, and leaving must still ask.
    const sent = Object.assign(document.createElement("form"), { method: "post", action: button.formAction, target: button.formTarget, hidden: true });
    for (const [name, value] of new FormData(form)) {
      if (typeof value !== "string") continue;
      sent.append(Object.assign(document.createElement("textarea"), { name, value }));
    }
    document.body.append(sent);
    sent.submit();
    sent.remove();
  };
  button.addEventListener("click", (event) => {
    event.preventDefault();
    show();
  });
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(show, 700);
  });
});
