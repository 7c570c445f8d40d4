// Blocks are added, moved, duplicated and removed in the page. Without a script the same buttons post the form.
(() => {
  const listOf = (node) => node.closest("[data-blocks]")?.querySelector("[data-block-list]");
  const say = (list, words, undo) => {
    const status = list.closest("[data-blocks]").querySelector("[data-block-status]");
    status.replaceChildren(words);
    if (!undo) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "rk-link";
    button.textContent = "Undo";
    button.addEventListener("click", undo);
    status.append(" ", button);
  };
  // The theme asks before one leaves what was changed, and the preview follows: both listen to the fields.
  const changed = (list) => list.closest("form").querySelector("[name]").dispatchEvent(new Event("input", { bubbles: true }));
  const name = (row) => row.querySelector("summary b").textContent;

  const fetched = async (list, fields) => {
    const form = list.closest("form");
    const body = new URLSearchParams(fields);
    body.set("csrfmiddlewaretoken", form.querySelector("[name=csrfmiddlewaretoken]").value);
    const answer = await fetch(list.closest("[data-blocks]").dataset.rowUrl, { method: "POST", body, credentials: "same-origin" });
    if (!answer.ok || answer.redirected) throw new Error(answer.status);
    return new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-block]");
  };
  const put = async (list, fields, place) => {
    let gone = false;
    const goes = ({ target }) => (gone = target.matches("input, select, textarea"));
    document.addEventListener("focusin", goes);
    try {
      const row = await fetched(list, fields);
      place(row);
      row.querySelector("details").open = true;
      // Whoever went on to write in another field meanwhile is left there.
      if (!gone) {
        row.scrollIntoView({ block: "nearest", behavior: "smooth" });
        (row.querySelector("[data-block-field]") ?? row.querySelector("summary")).focus({ preventScroll: true });
      }
      row.dispatchEvent(new CustomEvent("rk:block-added", { bubbles: true }));
      say(list, `${name(row)} is added.`);
      changed(list);
    } catch {
      say(list, "The block could not be added just now. What you typed is kept; try once more.");
    } finally {
      document.removeEventListener("focusin", goes);
    }
  };
  const beforeFooter = (list) => (row) => {
    const last = list.lastElementChild;
    if (last?.dataset.kind === "campaigns.footer") last.before(row);
    else list.append(row);
  };

  const move = (row, up) => {
    const other = up ? row.previousElementSibling : row.nextElementSibling;
    if (!other) return false;
    up ? other.before(row) : other.after(row);
    return true;
  };
  const acts = {
    add: (list, key) => put(list, { kind: key }, beforeFooter(list)),
    saved: (list, id) => put(list, { saved: id }, beforeFooter(list)),
    copy: (list, id, row) => {
      const fields = [...new FormData(list.closest("form"))].filter(([key]) => key.startsWith(`${id}-`));
      put(list, [...fields, ["block", id], ["of", id]], (made) => row.after(made));
    },
    remove: (list, id, row) => {
      const next = row.nextElementSibling;
      const focus = next ?? row.previousElementSibling;
      row.remove();
      changed(list);
      say(list, `${name(row)} is removed.`, () => {
        next?.isConnected ? next.before(row) : list.append(row);
        row.querySelector("summary").focus();
        say(list, `${name(row)} is back.`);
        changed(list);
      });
      (focus?.querySelector("summary") ?? list.closest("[data-blocks]").querySelector(".rk-block-menu summary")).focus();
    },
  };
  for (const [verb, up] of [["up", true], ["down", false]]) {
    acts[verb] = (list, id, row, button) => {
      if (!move(row, up)) return say(list, `${name(row)} is ${up ? "first" : "last"} already.`);
      button.focus();
      say(list, `${name(row)} is number ${[...list.children].indexOf(row) + 1} of ${list.children.length}.`);
      changed(list);
    };
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest('button[name="block-act"]');
    const list = button && listOf(button);
    if (!list) return;
    event.preventDefault();
    const [verb, target] = button.value.split(/:(.*)/s);
    acts[verb]?.(list, target, button.closest("[data-block]"), button);
    button.closest(".rk-block-menu")?.removeAttribute("open");
  });

  // A picture from the library brings its words along, unless somebody wrote better ones.
  document.addEventListener("image-chosen", ({ target, detail }) => {
    const words = target.closest("[data-block]")?.querySelector('[data-block-field="alt"]');
    if (words && !words.value) words.value = detail.alt ?? "";
  });

  // A block kept under a name, to be put into other messages.
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-block-keep]");
    const list = button && listOf(button);
    if (!list) return;
    const row = button.closest("[data-block]");
    const id = row.dataset.block;
    const called = prompt("Save this block for other messages, under the name:", name(row));
    if (called === null) return;
    const form = list.closest("form");
    const fields = [...new FormData(form)].filter(([key, value]) => typeof value === "string" && (key.startsWith(`${id}-`) || key === "csrfmiddlewaretoken"));
    const body = new URLSearchParams([...fields, ["block", id], ["of", id], ["name", called]]);
    try {
      const answer = await fetch(button.dataset.blockKeep, { method: "POST", body, credentials: "same-origin" });
      const told = answer.status === 403 ? { problem: "You may not save blocks: ask who manages this installation." } : await answer.json();
      say(list, told.problem ?? `“${told.name}” is saved. It stands in the menu of every message from now on.`);
    } catch {
      say(list, "The block could not be saved just now; try once more.");
    }
  });

  // Moved by keyboard on the head of a block with Alt and an arrow, by pointer on its grip.
  document.addEventListener("keydown", (event) => {
    const row = event.target.closest?.("[data-block]");
    if (!row || !event.altKey || !["ArrowUp", "ArrowDown"].includes(event.key) || !event.target.matches("summary")) return;
    event.preventDefault();
    if (!move(row, event.key === "ArrowUp")) return;
    event.target.focus();
    const list = listOf(row);
    say(list, `${name(row)} is number ${[...list.children].indexOf(row) + 1} of ${list.children.length}.`);
    changed(list);
  });
  // Enter in a field of a block would press the first button there is, and that one removes or moves.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("[data-blocks] input, [data-blocks] select")) event.preventDefault();
  });
  let dragged;
  document.addEventListener("pointerdown", ({ target }) => {
    const row = target.closest?.(".rk-block-grip")?.closest("[data-block]");
    if (row) row.draggable = true;
  });
  document.addEventListener("pointerup", () => document.querySelectorAll("[data-block][draggable=true]").forEach((row) => (row.draggable = false)));
  document.addEventListener("dragstart", (event) => {
    dragged = event.target.closest?.("[data-block][draggable=true]");
    if (!dragged) return;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", "");
    dragged.classList.add("rk-block-dragged");
  });
  document.addEventListener("dragover", (event) => {
    const over = dragged && event.target.closest?.("[data-block]");
    if (!over || listOf(over) !== listOf(dragged)) return;
    event.preventDefault();
    if (over === dragged) return;
    const box = over.getBoundingClientRect();
    event.clientY < box.top + box.height / 2 ? over.before(dragged) : over.after(dragged);
  });
  document.addEventListener("drop", (event) => dragged && event.preventDefault());
  document.addEventListener("dragend", () => {
    if (!dragged) return;
    dragged.classList.remove("rk-block-dragged");
    dragged.draggable = false;
    changed(listOf(dragged));
    dragged = undefined;
  });
})();
