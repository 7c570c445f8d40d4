// The picture library: files dropped on its field, and a window to choose from beside any field of an address.
(() => {
  const made = (name, more = {}, ...inside) => {
    const element = Object.assign(document.createElement(name), more);
    element.append(...inside);
    return element;
  };

  const drops = () => {
    for (const form of document.querySelectorAll("form[data-drop]")) {
      const field = form.querySelector('input[type="file"]');
      const names = form.querySelector("[data-drop-names]");
      // The theme writes the name of a chosen file into the next text field, here the search of the list.
      field.hasChangeListener = true;
      field.addEventListener("change", () => {
        const number = field.files.length;
        names.value = number > 3 ? `${number} files chosen` : [...field.files].map((file) => file.name).join(", ");
      });
      for (const [event, over] of [["dragenter", true], ["dragover", true], ["dragleave", false], ["drop", false]]) {
        field.addEventListener(event, () => field.parentElement.classList.toggle("rk-over", over));
      }
      form.addEventListener("submit", () => {
        names.value = "Being made ready…";
        form.querySelector("button").disabled = true;
      });
    }
  };

  // <input data-choose-image="address of the list"> gets a button that opens the window.
  // The field then fires `input` and `change`, and `image-chosen` with the whole picture in `detail`.
  const choose = async (field) => {
    const search = made("input", { type: "search", className: "rk-input", placeholder: "Search by name" });
    search.setAttribute("aria-label", "Search pictures");
    const list = made("ul", { className: "rk-pictures" });
    const close = made("button", { type: "button", className: "rk-button rk-button-quiet", textContent: "Close" });
    const head = made("div", { className: "rk-row" }, made("h2", { textContent: "Choose a picture" }), search, close);
    const window_ = made("dialog", { className: "rk-dialog" }, head, list);
    close.addEventListener("click", () => window_.close());
    window_.addEventListener("close", () => window_.remove());
    const take = (image) => {
      field.value = image.url;
      for (const name of ["input", "change"]) field.dispatchEvent(new Event(name, { bubbles: true }));
      field.dispatchEvent(new CustomEvent("image-chosen", { bubbles: true, detail: image }));
      window_.close();
      field.focus();
    };
    // Answers may come in another order than they were asked for: only the newest counts.
    let newest = 0;
    const show = async () => {
      const mine = ++newest;
      const answer = await fetch(`${field.dataset.chooseImage}?q=${encodeURIComponent(search.value)}`);
      const images = answer.ok ? await answer.json() : [];
      if (mine !== newest) return;
      list.replaceChildren(...images.map((image) => {
        const picture = made("img", { src: image.small, alt: image.alt, loading: "lazy" });
        const button = made("button", { type: "button" }, picture, made("span", { textContent: image.name }));
        button.addEventListener("click", () => take(image));
        return made("li", {}, button);
      }));
      if (!images.length) {
        const words = answer.ok ? "No picture is found. " : "You may not look into the library.";
        const said = made("li", { className: "rk-note rk-none", textContent: words });
        const library = new URL("../", new URL(field.dataset.chooseImage, location.href)).href;
        if (answer.ok) said.append(made("a", { className: "rk-link", href: library, target: "_blank", textContent: "Add some under Pictures" }));
        list.append(said);
      }
    };
    let waiting;
    search.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(show, 250);
    });
    document.body.append(window_);
    window_.showModal();
    await show();
  };

  const choosers = (root) => {
    for (const field of root.querySelectorAll("input[data-choose-image]:not([data-chooser])")) {
      field.dataset.chooser = "yes";
      const button = made("button", { type: "button", className: "rk-button rk-button-quiet rk-choose", textContent: "Choose a picture" });
      button.addEventListener("click", () => choose(field));
      field.after(button);
    }
  };

  document.addEventListener("DOMContentLoaded", () => {
    drops();
    choosers(document);
  });
  document.addEventListener("formset:added", (event) => choosers(event.target));
  document.addEventListener("rk:block-added", (event) => choosers(event.target));
  document.addEventListener("htmx:afterSwap", (event) => choosers(event.target));
})();
