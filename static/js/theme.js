// Runs before the page is drawn: the theme is the system's, unless this browser was told otherwise.
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  // Django's admin writes here too, and it has a third word: "auto" is the system's.
  const stored = () => { try { return localStorage.getItem("theme").replace("auto", ""); } catch { return null; } };
  const apply = () => { root.dataset.bsTheme = stored() || (dark.matches ? "dark" : "light"); };

  root.classList.add("has-script");
  apply();
  dark.addEventListener("change", apply);

  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-switch]")) return;
    const next = root.dataset.bsTheme === "dark" ? "light" : "dark";
    try { localStorage.setItem("theme", next); } catch { /* private mode: lasts for this page */ }
    root.dataset.bsTheme = next;
  });
})();
