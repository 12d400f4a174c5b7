// The composer: put a value in where the cursor was, save with Ctrl+S, walk the parts with Ctrl+Enter.
(() => {
  const form = document.querySelector("#draft");
  if (!form) return;
  let last = form.querySelector("textarea");
  form.addEventListener("focusin", ({ target }) => { if (target.matches("textarea")) last = target; });

  form.addEventListener("click", ({ target }) => {
    const key = target.closest("[data-insert]");
    if (!key || !last) return;
    last.setRangeText(key.dataset.insert, last.selectionStart, last.selectionEnd, "end");
    last.focus();
    last.dispatchEvent(new Event("input", { bubbles: true }));
  });

  // The bar of an hour sends the form; the field above it says the same from then on.
  form.addEventListener("click", ({ target }) => {
    const hour = target.closest("[name=hour]");
    if (hour) form.elements.send_at.value = hour.value.slice(0, 16);
  }, true);

  // htmx sends the value of the button that has the focus, even when nobody pressed it and the draft saves itself.
  form.addEventListener("htmx:configRequest", ({ detail }) => {
    if (detail.elt !== form || detail.triggeringEvent?.type === "submit") return;
    for (const name of ["act", "hour"]) delete detail.parameters[name];
  });

  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey)) return;
    if (event.key === "s") {
      event.preventDefault();
      form.requestSubmit(form.querySelector("[name=act][value=save]"));
    } else if (event.key === "Enter") {
      const anchors = [...document.querySelectorAll("#anchors a")];
      const here = anchors.findIndex((anchor) => anchor.hash === location.hash);
      anchors[(here + 1) % anchors.length]?.click();
    }
  });

  // A list is either sent to or left out.
  form.addEventListener("change", ({ target }) => {
    if (!target.matches("[name=include], [name=exclude]") || !target.checked) return;
    const other = target.name === "include" ? "exclude" : "include";
    const twin = target.closest("tr").querySelector(`[name=${other}]`);
    if (twin) twin.checked = false;
  });
})();
