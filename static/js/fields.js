// Values in a text: a click on a placeholder puts it where the cursor stands, and typing {{ opens the list of them.
// Beside them the letters that cost.
// Everything listens at the document: htmx may put a new form in.
(() => {
  const TEXTS = "textarea[name=session_text], textarea[name=sms_text], textarea[name=body]";
  const BEGUN = /\{\{\s*([a-z0-9_]*)$/i;
  const list = Object.assign(document.createElement("ul"), { className: "fields-list", id: "fields-list", hidden: true });
  list.setAttribute("role", "listbox");
  let text = document.querySelector(TEXTS);
  let begun = 0, cursor = 0, chosen = 0, shut = false, kept = false;

  const put = (words, from, to) => {
    text.setRangeText(words, from, to, "end");
    text.focus();
    text.dispatchEvent(new Event("input", { bubbles: true }));
  };

  // While the list is open the placeholder is half written: nothing saves or judges it before it is whole or given up.
  const tell = () => {
    if (!kept) return;
    kept = false;
    text.dispatchEvent(Object.assign(new Event("input", { bubbles: true }), { told: true }));
  };

  const close = () => {
    list.hidden = true;
    list.remove();
    tell();
    for (const name of ["aria-activedescendant", "aria-controls", "aria-autocomplete"]) text?.removeAttribute(name);
  };

  const choose = (option) => {
    const rest = text.value.slice(cursor).match(/^[a-z0-9_]*\s*\}\}/i)?.[0].length ?? 0; // of a placeholder that is mended
    kept = false;
    close();
    put(option.dataset.words, begun, cursor + rest);
  };

  const mark = (place) => {
    chosen = (place + list.children.length) % list.children.length;
    [...list.children].forEach((option, n) => option.setAttribute("aria-selected", n === chosen));
    text.setAttribute("aria-activedescendant", list.children[chosen].id);
    list.children[chosen].scrollIntoView({ block: "nearest" });
  };

  const offer = () => {
    cursor = text.selectionStart;
    const found = text.value.slice(0, cursor).match(BEGUN);
    shut &&= Boolean(found); // Escape holds for this one placeholder
    const options = found && !shut
      ? [...document.querySelectorAll("[data-insert]")].filter(({ dataset }) => dataset.insert.includes(found[1].toLowerCase()))
      : [];
    if (!options.length) return close();
    begun = found.index;
    list.replaceChildren(...options.map(({ dataset, title }, n) => {
      const option = Object.assign(document.createElement("li"), { id: `field-${n}`, textContent: dataset.insert });
      option.setAttribute("role", "option");
      option.dataset.words = dataset.insert;
      if (title) option.append(" ", Object.assign(document.createElement("span"), { textContent: title }));
      return option;
    }));
    list.setAttribute("aria-label", document.querySelector("[data-fields]").dataset.fields);
    text.after(list);
    text.setAttribute("aria-autocomplete", "list");
    text.setAttribute("aria-controls", list.id);
    list.hidden = false;
    list.scrollIntoView({ block: "nearest" });
    mark(0);
  };

  document.addEventListener("focusin", ({ target }) => { if (target.matches(TEXTS)) text = target; });
  document.addEventListener("focusout", ({ target }) => { if (target === text) close(); });
  document.addEventListener("input", (event) => {
    if (event.target !== text || event.told) return;
    kept = false;
    offer();
    kept = list.isConnected;
    if (kept) event.stopPropagation();
  }, true);
  document.addEventListener("selectionchange", () => { if (!list.hidden && text.selectionStart !== cursor) close(); });
  // What an earlier stroke had set going waits as well.
  document.addEventListener("htmx:configRequest", (event) => {
    if (list.isConnected && event.detail.triggeringEvent?.type === "input") event.preventDefault();
  });
  list.addEventListener("mousedown", (event) => event.preventDefault()); // the text keeps the cursor
  list.addEventListener("click", ({ target }) => { const option = target.closest("li"); if (option) choose(option); });

  // A letter that costs is replaced wherever it stands in the text above the button.
  document.addEventListener("click", ({ target }) => {
    const { swap, with: instead } = target.closest("[data-swap]")?.dataset ?? {};
    if (!swap) return;
    const costly = target.closest(".lane-text").querySelector("textarea");
    costly.value = costly.value.replaceAll(swap, instead);
    costly.focus();
    costly.dispatchEvent(new Event("input", { bubbles: true }));
  });

  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-insert]");
    if (!text?.isConnected) text = document.querySelector(TEXTS);
    if (button && text) put(button.dataset.insert, text.selectionStart, text.selectionEnd);
  });

  document.addEventListener("keydown", (event) => {
    if (!list.isConnected || event.target !== text || event.isComposing) return;
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const act = {
      ArrowDown: () => mark(chosen + 1),
      ArrowUp: () => mark(chosen - 1),
      Enter: () => choose(list.children[chosen]),
      Tab: () => choose(list.children[chosen]),
      Escape: () => { shut = true; close(); },
    }[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }, true);
})();
