// A rule while it is edited: each change is posted whole, and what comes back takes its place. Where the same
// fields are there as before, the fields stay (nothing typed meanwhile is lost) and only the words change.
(() => {
  if (window.rkRules) return;
  window.rkRules = true;
  const ruleOf = (node) => (node instanceof Element ? node.closest("[data-rule]") : null);
  const fields = (rule) => [...rule.querySelectorAll("[name]")].filter((field) => !field.closest("noscript"));
  const shape = (rule) =>
    fields(rule)
      .map((field) => [field.name, field.tagName, field.dataset.ruleMenu === undefined && field.options ? field.options.length : "", field.disabled])
      .join();
  // An answer that comes while somebody looks through a menu leaves it where they are.
  const keepLookedAt = (rule, fresh) => {
    for (const menu of rule.querySelectorAll("select[data-rule-menu]")) {
      const same = [...(fresh.querySelector(`select[name="${menu.name}"]`)?.options ?? [])];
      for (const option of same) option.selected = option.value === menu.value;
    }
  };
  const say = (rule, words) => {
    rule.inert = false;
    rule.querySelector("[data-rule-status]").textContent = words;
  };

  // What is typed while an answer is on its way makes that answer an old one.
  document.addEventListener("input", ({ target }) => {
    const rule = ruleOf(target);
    if (!rule || target.dataset.ruleMenu !== undefined) return;
    htmx.trigger(rule, "htmx:abort");
    rule.classList.add("rk-rule-asking");
  });

  document.addEventListener("htmx:configRequest", ({ detail }) => {
    const rule = ruleOf(detail.elt);
    if (!rule) return;
    const name = rule.querySelector("[data-rule-offers]").name.replace(/-offers$/, "");
    const menus = new Set([...rule.querySelectorAll("[data-rule-menu]")].map((menu) => menu.name));
    const posted = detail.formData;
    for (const key of [...posted.keys()]) {
      if ((!key.startsWith(`${name}-`) || menus.has(key)) && key !== "csrfmiddlewaretoken") posted.delete(key);
    }
    posted.set("rule", name);
    if (!posted.has("csrfmiddlewaretoken")) {
      posted.set("csrfmiddlewaretoken", document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "");
    }
    const act = detail.elt.dataset.ruleAct;
    if (act === undefined) return;
    const value = act === "menu" ? rule.querySelector(`select[name="${detail.elt.name}"]`).value : detail.elt.value;
    if (value) posted.set(detail.elt.name, value);
  });

  // A row on its way posts all that was typed before: a question that comes due meanwhile must not overtake it.
  document.addEventListener("htmx:confirm", (event) => {
    if (ruleOf(event.target)?.inert && event.target.dataset.ruleAct === undefined) event.preventDefault();
  });

  document.addEventListener("htmx:beforeRequest", ({ detail }) => {
    const rule = ruleOf(detail.elt);
    if (!rule) return;
    rule.classList.add("rk-rule-asking");
    // Rows come and go at once; nothing can be typed into one that is about to.
    if (detail.elt.dataset.ruleAct !== undefined) rule.inert = true;
  });

  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const rule = ruleOf(detail.target);
    if (!rule || rule !== detail.target) return;
    detail.shouldSwap = false;
    if (detail.xhr.status !== 200) return;
    rule.classList.remove("rk-rule-asking");
    const fresh = new DOMParser().parseFromString(detail.xhr.responseText, "text/html").querySelector("[data-rule]");
    if (!fresh) return say(rule, "You are no longer logged in. Log in on another tab; what you typed here is kept.");
    const open = rule.querySelector(".rk-rule-examples")?.open;
    if (open && fresh.querySelector(".rk-rule-examples")) fresh.querySelector(".rk-rule-examples").open = true;
    if (!detail.requestConfig.elt.matches("[data-rule-act]") && shape(rule) === shape(fresh)) {
      const slots = [...fresh.querySelectorAll("[data-rule-slot]")];
      rule.querySelectorAll("[data-rule-slot]").forEach((slot, place) => slot.replaceWith(slots[place]));
      return say(rule, "");
    }
    const active = rule.contains(document.activeElement) ? document.activeElement.id : "";
    if (!detail.requestConfig.elt.matches("[data-rule-act]")) keepLookedAt(rule, fresh);
    rule.replaceWith(fresh);
    htmx.process(fresh);
    focus(fresh, active);
    // The theme asks before one leaves what was changed, and listens to the fields alone.
    if (detail.requestConfig.elt.matches("[data-rule-act]")) fields(fresh)[0].dispatchEvent(new Event("input"));
  });

  const focus = (rule, active) => {
    const wanted = rule.dataset.focus;
    if (!wanted) return active && document.getElementById(active)?.focus({ preventScroll: true });
    const usable = "input:not([type=hidden]), select, textarea, button:not(:disabled)";
    const place = (name) => rule.querySelector(`[data-place="${name}"]`);
    const pressed = rule.querySelector(`[name="${wanted}"]:not(:disabled)`);
    const row = place(wanted.replace(/-(up|down)$/, ""));
    // After the last row was removed: the one before it, else the menu of the group.
    const before = wanted.replace(/\d+$/, (number) => number - 1);
    const group = place(wanted.replace(/-\d+$/, ""));
    const found =
      pressed ??
      row?.querySelector(".rk-rule-fields")?.querySelector(usable) ??
      row?.querySelector(usable) ??
      place(before)?.querySelector(usable) ??
      group?.querySelector(":scope > .rk-rule-add select");
    found?.focus();
  };

  for (const trouble of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(trouble, ({ detail }) => {
      const rule = ruleOf(detail.elt);
      if (!rule) return;
      const refused = detail.xhr?.status === 403;
      say(rule, refused ? "You may not count whom this rule means." : "Whom this means could not be found out just now. What you typed is kept.");
    });
  }

  // A condition picked with the pointer is added at once; with the keyboard, arrows only look through the menu.
  let keyed = false;
  document.addEventListener("keydown", (event) => {
    keyed = true;
    if (event.key !== "Enter") return;
    if (event.target.matches("[data-rule-menu]") && event.target.value) {
      event.preventDefault();
      event.target.parentElement.querySelector("[data-rule-act=menu]").click();
    } else if (event.target.matches("[data-rule-try]")) {
      event.preventDefault();
      htmx.trigger(ruleOf(event.target), "rk:ask");
    }
  });
  document.addEventListener("pointerdown", () => (keyed = false));
  document.addEventListener("change", ({ target }) => {
    if (target.matches("[data-rule-menu]") && target.value && !keyed) {
      target.parentElement.querySelector("[data-rule-act=menu]").click();
    }
  });
  // What was looked at in a menu and not added is not added by saving either.
  document.addEventListener("submit", ({ target }) => {
    for (const menu of target.querySelectorAll("[data-rule-menu]")) menu.value = "";
  });
  // Rows of a formset come as copies, which htmx has not seen yet.
  for (const event of ["formset:added", "formset:removed"]) {
    document.addEventListener(event, () => document.querySelectorAll("[data-rule]").forEach((rule) => htmx.process(rule)));
  }
})();
