// Whoever opens what an item leads to has read it. Without this, the button beside it says so.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-item]");
  const form = link && link.closest("li.unread")?.querySelector("form");
  if (!form) return;
  const data = new FormData(form);
  data.append("read", link.dataset.item);
  // It must outlive this page.
  fetch(location.href, { method: "POST", body: data, keepalive: true, redirect: "manual" });
});
