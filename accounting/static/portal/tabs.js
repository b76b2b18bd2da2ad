// Tabs as the ARIA Authoring Practices describe them: arrows, Home and End move; the last choice is kept.
// Without scripts every panel is on the page, one below the other, under its heading.

for (const list of document.querySelectorAll("[role=tablist]")) {
  const tabs = [...list.querySelectorAll("[role=tab]")];
  const key = `tab:${list.id}`;

  const choose = (tab, focus) => {
    for (const other of tabs) {
      const chosen = other === tab;
      other.setAttribute("aria-selected", String(chosen));
      other.tabIndex = chosen ? 0 : -1;
      const panel = document.getElementById(other.getAttribute("aria-controls"));
      panel.hidden = !chosen;
      panel.toggleAttribute("data-shown", chosen);
    }
    if (focus) tab.focus();
    try { localStorage.setItem(key, tab.id); } catch { /* storage is off: the first tab, next time */ }
  };

  list.addEventListener("click", (event) => {
    const tab = event.target.closest("[role=tab]");
    if (tab) choose(tab, false);
  });
  list.addEventListener("keydown", (event) => {
    const at = tabs.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    choose(tabs[(to + tabs.length) % tabs.length], true);
  });

  let last = null;
  try { last = localStorage.getItem(key); } catch { /* storage is off */ }
  if (!last && navigator.userAgent.includes("Windows")) last = list.dataset.windows;
  const first = tabs.find((tab) => tab.id === last);
  if (first) choose(first, false);
}
