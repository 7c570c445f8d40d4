// The page on which a message is drawn. What controls the message (if, for) is kept from the editor's hands as
// remarks, for inside a table a browser would move it out, and rows have names of ours, for outside of a <table>
// it would drop them. The head is not drawn on: what it says of all pieces is said on each of them instead.
document.addEventListener("DOMContentLoaded", () => {
  const place = document.getElementById("rk-drawing");
  if (!place) return;
  const { mjml, pieces, pictures } = JSON.parse(document.getElementById("rk-drawing-data").textContent);
  const form = document.getElementById("rk-drawing-form");
  const status = document.getElementById("rk-drawing-status");

  const hide = (source) =>
    source.replace(/\{%[\s\S]*?%\}/g, (tag, at) => {
      const before = source.slice(0, at).replace(/\{[{%][\s\S]*?[%}]\}/g, "");
      const isInTag = before.lastIndexOf("<") > before.lastIndexOf(">");
      return isInTag ? tag : `<!--rk:${encodeURIComponent(tag)}-->`;
    });
  const reveal = (source) =>
    source
      .replace(/<!--\s*rk:([\s\S]*?)-->/g, (_whole, tag) => decodeURIComponent(tag.trim()))
      .replace(/<(\/?)rk-(tr|td|th|tbody|thead)\b/g, "<$1$2");
  const rows = (source) =>
    source.replace(/<mj-table\b[\s\S]*?<\/mj-table>/g, (table) => table.replace(/<(\/?)(tr|td|th|tbody|thead)\b/g, "<$1rk-$2"));
  // The browser's own parser knows no <mj-image />: everything that closes itself is closed in words.
  const closed = (source) => source.replace(/<(mj-[a-z-]+)((?:"[^"]*"|'[^']*'|[^'">])*?)\s*\/>/g, "<$1$2></$1>");
  const body = (source) => /<mj-body[\s\S]*<\/mj-body>/.exec(source)?.[0] ?? source;
  const head = /<mj-head[\s\S]*?<\/mj-head>/.exec(mjml)?.[0] ?? "";
  const attributes = (text) => Object.fromEntries([...text.matchAll(/([a-z-]+)="([^"]*)"/g)].map(([, name, value]) => [name, value]));
  const usual = {};
  for (const [, tag, text] of (/<mj-attributes>[\s\S]*<\/mj-attributes>/.exec(head)?.[0] ?? "").matchAll(/<(mj-[a-z]+)\s((?:"[^"]*"|[^">])*?)\/?>/g)) {
    usual[tag] = attributes(text);
  }
  const dressed = (source) =>
    source.replace(/<(mj-(?:text|button|table|section))\b((?:"[^"]*"|'[^']*'|[^'">])*)>/g, (_whole, tag, text) => {
      const own = attributes(text);
      const font = tag === "mj-section" ? {} : usual["mj-all"];
      const more = Object.entries({ ...font, ...usual[tag] }).filter(([name]) => !(name in own));
      return `<${tag}${text}${more.map(([name, value]) => ` ${name}="${value}"`).join("")}>`;
    });
  const drawable = (source) => dressed(closed(rows(hide(source))));
  const opening = /<mjml\b[^>]*>/.exec(mjml)?.[0] ?? "<mjml>";

  const editor = grapesjs.init({
    container: place,
    height: "100%",
    telemetry: false,
    cssIcons: "",
    storageManager: false,
    noticeOnUnload: false,
    fromElement: false,
    canvasCss: "mj-head { display: none !important } mj-table { display: table; width: 100%; box-sizing: border-box; padding: 0 32px; font: 16px/1.4 -apple-system, 'Segoe UI', Roboto, Arial, sans-serif } rk-tr { display: table-row } rk-td, rk-th { display: table-cell } img { background: #e8e5e1 }",
    plugins: ["grapesjs-mjml"],
    pluginsOpts: {
      "grapesjs-mjml": {
        blocks: ["mj-1-column", "mj-2-columns", "mj-3-columns", "mj-text", "mj-button", "mj-image", "mj-divider", "mj-spacer"],
        imagePlaceholderSrc: "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='350' height='250'%3E%3Crect width='100%25' height='100%25' fill='%23ddd'/%3E%3C/svg%3E",
        useCustomTheme: false,
        fonts: {},
      },
    },
    assetManager: { upload: false, assets: [], noAssets: "No picture is in the library yet." },
  });
  editor.setComponents(`<mjml>${closed(head)}${drawable(body(mjml))}</mjml>`);
  editor.UndoManager.clear();

  for (const piece of pieces) {
    editor.BlockManager.add(`rk-${piece.key}`, {
      label: piece.label,
      category: { id: "rk", label: "Blocks of this shop", open: true, order: -1 },
      media: `<span class="material-symbols-outlined" aria-hidden="true">${piece.icon}</span>`,
      content: drawable(piece.mjml),
    });
  }
  const icons = {
    options: { "sw-visibility": ["select_all", "Show borders"], preview: ["visibility", "Without the tools"], fullscreen: ["fullscreen", "Whole screen"], "mjml-import": ["", ""], "export-template": ["code", "Show the MJML"], undo: ["undo", "Undo"], redo: ["redo", "Redo"] },
    views: { "open-sm": ["palette", "How the chosen piece looks"], "open-tm": ["settings", "What the chosen piece leads to"], "open-layers": ["layers", "All pieces"], "open-blocks": ["add_box", "Pieces to put in"] },
  };
  for (const [panel, buttons] of Object.entries(icons)) {
    for (const [id, [icon, title]] of Object.entries(buttons)) {
      const button = editor.Panels.getButton(panel, id);
      if (!icon) editor.Panels.removeButton(panel, id);
      else button?.set({ className: "", label: `<span class="material-symbols-outlined" aria-hidden="true">${icon}</span>`, attributes: { title, "aria-label": title, role: "button" } });
    }
  }
  editor.onReady(() => {
    editor.Panels.getButton("views", "open-blocks")?.set("active", true);
    editor.Canvas.getFrameEl().title = "The message, to be drawn on";
  });

  editor.on("asset:open", async () => {
    const answer = await fetch(pictures, { credentials: "same-origin" });
    const images = answer.ok ? await answer.json() : [];
    editor.AssetManager.clear();
    editor.AssetManager.add(images.map(({ url, name }) => ({ type: "image", src: url, name })));
  });

  let isChanged = false;
  editor.on("update", () => (isChanged = true));
  addEventListener("beforeunload", (event) => isChanged && event.preventDefault());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    status.textContent = "Saving…";
    const drawn = `${opening}\n  ${head}\n  ${body(reveal(editor.runCommand("mjml-code")))}\n</mjml>\n`;
    const data = new FormData(form);
    data.set("mjml", drawn);
    try {
      const answer = await fetch(location.href, { method: "POST", body: new URLSearchParams(data), credentials: "same-origin" });
      const said = await answer.json();
      if (answer.ok) {
        isChanged = false;
        location.href = said.back;
        return;
      }
      const list = document.createElement("ul");
      list.append(...said.mistakes.map((words) => Object.assign(document.createElement("li"), { textContent: words })));
      status.replaceChildren("Nothing is saved yet:", list);
      status.classList.add("rk-drawing-wrong");
    } catch {
      status.textContent = "It could not be saved just now. What you drew is still here; try once more, or log in on another tab.";
    }
  });

  // Written at the cursor of the text that is being edited.
  document.addEventListener("mousedown", (event) => event.target.closest?.("[data-draw]") && event.preventDefault());
  document.addEventListener("click", ({ target }) => {
    const entry = target.closest?.("[data-draw]");
    if (!entry) return;
    const canvas = editor.Canvas.getDocument();
    if (canvas.activeElement?.isContentEditable) canvas.execCommand("insertText", false, entry.dataset.draw);
    else navigator.clipboard?.writeText(entry.dataset.draw).then(() => (status.textContent = `${entry.dataset.draw} is copied: paste it where you want it.`));
  });
});
