// A click on a placeholder puts it where the cursor stands.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-insert]");
  if (!button) return;
  const body = document.querySelector("textarea[name=body]");
  body.focus();
  body.setRangeText(button.dataset.insert, body.selectionStart, body.selectionEnd, "end");
  body.dispatchEvent(new Event("input", { bubbles: true }));
});
