// The preview follows what is typed, after a pause, and what is chosen beside it, at once.
document.addEventListener("DOMContentLoaded", () => {
  const button = document.getElementById("rk-preview-button");
  const form = document.getElementById("template_form");
  if (!button || !form) return;
  let waiting;
  const show = () => {
    // Not a submit of the form: what was typed is still unsaved, and leaving must still ask.
    const data = new FormData(form);
    const sent = document.createElement("form");
    sent.method = "post";
    sent.action = button.formAction;
    sent.target = button.formTarget;
    sent.hidden = true;
    for (const [name, value] of data) {
      if (typeof value !== "string") continue;
      const field = document.createElement("textarea");
      field.name = name;
      field.value = value;
      sent.append(field);
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
    waiting = setTimeout(show, 900);
  });
  for (const field of document.querySelectorAll('[form="template_form"][name="part"], [form="template_form"][name="as"]')) {
    field.addEventListener("change", show);
  }
});
