// The preview follows what is typed, after a pause, and what is chosen beside it, at once.
document.addEventListener("DOMContentLoaded", () => {
  const button = document.getElementById("rk-preview-button");
  const form = document.getElementById("template_form");
  if (!button || !form) return;
  let waiting;
  const show = () => {
    clearTimeout(waiting);
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
  form.addEventListener("input", ({ target }) => {
    if (target.matches("[data-palette-search]")) return;
    clearTimeout(waiting);
    waiting = setTimeout(show, 900);
  });
  for (const field of document.querySelectorAll('[form="template_form"][name="part"], [form="template_form"][name="who"]')) {
    field.addEventListener("change", show);
  }
  if (!document.querySelector('iframe[name="rk-preview-frame"]').getAttribute("src")) show();

  // Whom it is of: people are found as one types, and the next one is a button away.
  const person = document.querySelector('[data-people][form="template_form"]');
  if (!person) return;
  const people = async (asked) => {
    const answer = await fetch(`${person.dataset.people}?${new URLSearchParams(asked)}`, { credentials: "same-origin" });
    return answer.ok && !answer.redirected ? (await answer.json()).people : [];
  };
  const of = (mail) => {
    person.value = mail;
    for (const field of document.querySelectorAll("[data-same-person]")) field.value = mail;
    document.querySelector('[form="template_form"][name="who"][value="person"]').checked = true;
    show();
  };
  let asking;
  person.addEventListener("input", () => {
    clearTimeout(asking);
    asking = setTimeout(async () => {
      const found = await people({ q: person.value });
      document.getElementById("rk-people").replaceChildren(...found.map(({ name, email }) => new Option(name, email)));
      if (found.some(({ email }) => email === person.value)) of(person.value);
    }, 250);
  });
  person.addEventListener("change", () => of(person.value));
  person.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    of(person.value);
  });
  const next = document.getElementById("rk-next-person");
  next.hidden = false;
  next.addEventListener("click", async () => {
    const [found] = await people({ after: person.value });
    if (found) of(found.email);
  });
});
