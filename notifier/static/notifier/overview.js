// Reads the overview again every minute while somebody looks at it, and keeps open what is open. Without it, the page is as it was loaded.
(() => {
  const ID = "notifier-overview";
  let readAt = Date.now();

  const refresh = async () => {
    const shown = document.getElementById(ID);
    const answer = await fetch(location.href, { credentials: "same-origin" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById(ID);
    // Signed out, or an error page: what is shown stays, with its age on it.
    if (!answer.ok || !fresh) return;
    for (const details of shown.querySelectorAll("details[open]")) {
      fresh.querySelector(`#${details.id}`)?.setAttribute("open", "");
    }
    const links = (root) => [...root.querySelectorAll("a, summary")];
    const focused = links(shown).indexOf(document.activeElement);
    shown.replaceChildren(...fresh.childNodes);
    links(shown)[focused]?.focus({ preventScroll: true });
  };

  const refreshIfDue = () => {
    const shown = document.getElementById(ID);
    if (document.hidden || Date.now() - readAt < shown.dataset.refreshSeconds * 1000) return;
    readAt = Date.now();
    refresh().catch(() => {}); // without a network it is tried again in a minute
  };

  setInterval(refreshIfDue, 1000);
  document.addEventListener("visibilitychange", refreshIfDue);
})();
