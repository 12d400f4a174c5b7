// The composer: save with Ctrl+S, walk the parts with Ctrl+Enter. Values are put in by fields.js.
// Everything listens at the document: htmx puts a new form in when it goes back through the plan's pages.
(() => {
  const draft = () => document.querySelector("#draft");
  if (!draft()) return;
  const inDraft = (target) => target instanceof Element && target.closest("#draft");
  let unsaved = false, saving = false;

  // The bar of an hour sends the form; the field above it says the same from then on.
  document.addEventListener("click", ({ target }) => {
    const hour = inDraft(target) && target.closest("[name=hour]");
    if (hour) draft().elements.send_at.value = hour.value.slice(0, 16);
  }, true);

  // htmx sends the value of the button that has the focus, even when nobody pressed it and the draft saves itself.
  // What a pressed button has sent by then need not be saved a second time.
  document.addEventListener("input", ({ target }) => { if (inDraft(target) && target.form === draft() && target.name !== "note") unsaved = true; });
  document.addEventListener("htmx:configRequest", (event) => {
    const { elt, triggeringEvent, parameters } = event.detail;
    if (elt.id !== "draft" || event.defaultPrevented) return;
    if (triggeringEvent?.type !== "submit") {
      if (!unsaved) return event.preventDefault();
      for (const name of ["act", "hour"]) delete parameters[name];
    }
    unsaved = false;
    saving = true;
  });
  document.addEventListener("htmx:afterRequest", ({ detail }) => { if (detail.elt.id === "draft") saving = false; });
  for (const failure of ["htmx:sendError", "htmx:responseError"])
    document.addEventListener(failure, ({ detail }) => { if (detail.elt.id === "draft") unsaved = true; });

  // Whoever leaves within the second before it saves itself leaves nothing behind. It follows on a saving under way;
  // a page that stays after all (a file was fetched) goes on from the version that came of it.
  const leave = async () => {
    if (!unsaved || !draft()) return;
    unsaved = false;
    const body = new FormData(draft());
    if (saving) body.set("version", Number(body.get("version")) + 1);
    const saved = { method: "POST", body, headers: { "HX-Request": "true" }, keepalive: true };
    const answer = await fetch(draft().action, saved).then((one) => one.text()).catch(() => "");
    const version = answer.match(/id="draft-version" value="(\d+)"/)?.[1];
    if (version && draft()) draft().elements.version.value = version;
  };
  for (const going of ["beforeunload", "pagehide"]) addEventListener(going, leave);

  // Coming back shows the draft as it is saved, never ticks and figures of an earlier look at it.
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted) location.reload();
    else if (performance.getEntriesByType("navigation")[0]?.type !== "navigate" && !unsaved) draft()?.reset();
  });

  // The part after the one in which the cursor stands; without a cursor, after the one that the address names.
  const nextPart = () => {
    const anchors = [...document.querySelectorAll("#anchors a")];
    const within = ({ hash }) => document.querySelector(hash)?.contains(document.activeElement);
    const here = anchors.find(within) || anchors.find(({ hash }) => hash === location.hash);
    const next = anchors[(anchors.indexOf(here) + 1) % anchors.length];
    next.click();
    document.querySelector(next.hash).querySelector("input:not([type=hidden]), textarea, select, button")?.focus({ preventScroll: true });
  };

  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || !draft()) return;
    if (event.key === "s") {
      event.preventDefault();
      draft().requestSubmit(draft().querySelector("[name=act][value=save]"));
    } else if (event.key === "Enter") {
      event.preventDefault(); // it presses no button that has the focus
      nextPart();
    }
  });

  // A list is either sent to or left out.
  document.addEventListener("change", ({ target }) => {
    if (!inDraft(target) || !target.matches("[name=include], [name=exclude]") || !target.checked) return;
    const other = target.name === "include" ? "exclude" : "include";
    const twin = target.closest("tr").querySelector(`[name=${other}]`);
    if (twin) twin.checked = false;
  });
})();
