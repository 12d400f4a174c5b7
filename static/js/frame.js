// What the frame does beside htmx: dialogs, toasts, the phone's menu, copying, times that grow old, lost connections.
(() => {
  const $ = (selector, from = document) => from.querySelector(selector);
  const sheet = $("#sheet");
  const say = (words) => { $("#announcer").textContent = words; };

  // A page that came of a POST with a secret in it: to load it again shows what it is about, and posts nothing.
  const home = $("[data-home]");
  if (home) history.replaceState(null, "", home.dataset.home);

  // A link with data-sheet opens its page's fragment in the dialog (hx-target="#sheet"); without script it is a page.
  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    if (detail.target === sheet && !sheet.open) sheet.showModal();
  });

  document.addEventListener("click", async (event) => {
    const on = (selector) => event.target.closest(selector);
    if (on("[data-close-sheet]") && sheet.open) {
      event.preventDefault();
      sheet.close();
    }
    on("[data-dismiss]")?.closest(".toast-line").remove();

    const copy = on("[data-copy]");
    if (copy) {
      try {
        await navigator.clipboard.writeText($(copy.dataset.copy).textContent.trim());
        copy.lastElementChild.textContent = copy.dataset.copied;
        say(copy.dataset.copied);
      } catch {
        getSelection().selectAllChildren($(copy.dataset.copy));
      }
    }

    const menu = $(".frame-menu[open]");
    if (menu && !menu.contains(event.target)) menu.open = false;
  });

  document.addEventListener("keydown", (event) => {
    const menu = $(".frame-menu[open]");
    if (event.key === "Escape" && menu) {
      menu.open = false;
      $("summary", menu).focus();
    }
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || sheet?.open) return;
    const target = event.key === "/" ? $("[data-search]") : $(`[data-key="${CSS.escape(event.key)}"]`);
    if (!target) return;
    event.preventDefault();
    // A bare key opens and shows. What changes something it only reaches: Enter or a click does it.
    target.matches("a, button[type=button]") ? target.click() : target.focus();
  });

  // "4 min ago" grows old without asking the server; the words are the server's (data-* of the announcer).
  const words = $("#announcer").dataset;
  const span = (minutes) => {
    if (minutes >= 1440) return words.days.replace("%s", Math.floor(minutes / 1440));
    return minutes >= 60 ? words.hours.replace("%s", Math.floor(minutes / 60)) : words.minutes.replace("%s", minutes);
  };
  const age = () => {
    for (const part of document.querySelectorAll("time[data-ago]")) {
      const seconds = (Date.now() - new Date(part.dateTime)) / 1000;
      if (seconds < 60) continue;
      const said = words.ago.replace("%(time)s", span(Math.floor(seconds / 60)));
      if (part.textContent !== said) part.textContent = said;
    }
  };
  setInterval(age, 20_000);

  const lost = $("#offline");
  document.addEventListener("htmx:sendError", () => { lost.hidden = false; });
  document.addEventListener("htmx:afterOnLoad", () => { lost.hidden = true; });
  document.addEventListener("htmx:responseError", ({ detail }) => {
    say(detail.xhr.status >= 500 ? lost.dataset.failed : "");
    if (detail.xhr.status >= 500) lost.hidden = false;
  });
  addEventListener("offline", () => { lost.hidden = false; });
  addEventListener("online", () => { lost.hidden = true; });
})();
