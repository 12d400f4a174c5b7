// A thread stays at its end, or says that something new came; what is typed survives a reload; Ctrl+Enter sends.
(() => {
  const scroll = document.querySelector("#scroll");
  const atEnd = () => scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80;
  const toEnd = () => { scroll.scrollTop = scroll.scrollHeight; };
  let follow = true, known = 0, kept = [];
  let stays = !location.search.includes("before="); // who looks at the end goes on seeing it
  const bubbles = () => document.querySelectorAll("#timeline .bubble").length;

  const pill = document.createElement("button");
  pill.type = "button";
  pill.className = "new-pill";
  pill.hidden = true;
  pill.addEventListener("click", () => { toEnd(); pill.hidden = true; });

  if (scroll) {
    pill.textContent = `${scroll.dataset.new} ↓`;
    scroll.append(pill);
    if (stays) toEnd();
    known = bubbles();
    scroll.addEventListener("scroll", () => {
      stays = atEnd();
      if (stays) pill.hidden = true;
    });
    new ResizeObserver(() => { if (stays) toEnd(); }).observe(scroll); // a window made smaller, a telephone turned round
    document.addEventListener("htmx:oobBeforeSwap", ({ detail }) => {
      if (detail.target.id !== "timeline") return;
      follow = atEnd();
      kept = [...detail.target.querySelectorAll("details[open]")].map((fold) => fold.id);
    });
    document.addEventListener("htmx:oobAfterSwap", ({ detail }) => {
      if (detail.target.id !== "timeline") return;
      kept.forEach((id) => { const fold = document.getElementById(id); if (fold) fold.open = true; });
      const now = bubbles();
      if (now > known) document.querySelector("#announcer").textContent = scroll.dataset.new;
      if (follow) toEnd();
      else if (now > known) pill.hidden = false;
      known = now;
    });
  }

  const box = () => document.querySelector("#reply textarea");
  const key = () => `draft:${document.querySelector("#reply")?.dataset.draft}`;
  const store = (act) => { try { return act(localStorage); } catch { return null; } };
  const draft = store((memory) => memory.getItem(key()));
  if (draft && box() && !box().value) box().value = draft;
  document.addEventListener("input", ({ target }) => {
    if (target === box()) store((memory) => (target.value ? memory.setItem(key(), target.value) : memory.removeItem(key())));
  });
  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    if (detail.target.id !== "reply") return;
    if (!box()?.value) store((memory) => memory.removeItem(key()));
    box()?.focus();
    toEnd();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.target !== box()) return;
    const send = document.querySelector("#reply [value=send]");
    if (send) document.querySelector("#reply").requestSubmit(send);
  });
})();
