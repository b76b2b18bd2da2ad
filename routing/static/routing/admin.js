// Names the search fields that stand in for selects: select2 labels them by their own value, which begins empty.
// They are made, and made anew, whenever the theme's scripts come to it, so additions are watched for.
function nameSearchFields() {
  for (const select of document.querySelectorAll("select.select2-hidden-accessible")) {
    const label = select.labels[0];
    const box = select.parentElement.querySelector(".select2-selection");
    if (!label || !box) continue;
    label.id = label.id || `${select.id}_label`;
    const named = box.getAttribute("aria-labelledby") || "";
    if (!named.includes(label.id)) box.setAttribute("aria-labelledby", `${label.id} ${named}`.trim());
    box.querySelector("[role=textbox]")?.setAttribute("aria-labelledby", label.id);
  }
}

window.addEventListener("DOMContentLoaded", () => {
  nameSearchFields();
  new MutationObserver(nameSearchFields).observe(document.body, { childList: true, subtree: true });
});
