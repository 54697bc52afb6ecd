// An event that is under way looks again by itself, ever more slowly, and not while nobody looks at it.
(() => {
  const FIRST = 2000, LONGEST = 30000;
  let pause = FIRST;

  async function look() {
    const shown = document.getElementById("notifier-timeline");
    if (!shown?.hasAttribute("data-notifier-live")) return;
    if (!document.hidden) {
      try {
        const response = await fetch(location.href, { credentials: "same-origin", redirect: "error" });
        const page = new DOMParser().parseFromString(await response.text(), "text/html");
        const fresh = page.getElementById("notifier-timeline");
        if (response.ok && fresh) replace(shown, fresh);
      } catch {
        // The next look may be luckier: a network that is gone for a moment, a session that has ended.
      }
      pause = Math.min(pause * 1.5, LONGEST);
    }
    setTimeout(look, pause);
  }

  function replace(shown, fresh) {
    for (const details of shown.querySelectorAll("details[open][id]")) {
      fresh.querySelector(`#${CSS.escape(details.id)}`)?.setAttribute("open", "");
    }
    if (!shown.contains(document.activeElement) && shown.innerHTML !== fresh.innerHTML) {
      shown.replaceWith(document.importNode(fresh, true));
    } else {
      shown.toggleAttribute("data-notifier-live", fresh.hasAttribute("data-notifier-live") || shown.innerHTML !== fresh.innerHTML);
    }
  }

  document.addEventListener("DOMContentLoaded", () => setTimeout(look, pause));
})();
