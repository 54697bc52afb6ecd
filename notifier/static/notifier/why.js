// People to choose from, while somebody types. Without it the field takes what is typed.
document.addEventListener("DOMContentLoaded", () => {
  const list = document.getElementById("notifier-people");
  const field = document.querySelector("input[list=notifier-people]");
  if (!list || !field) return;
  let waiting, asked = "";

  field.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      const term = field.value.trim();
      if (!term || term === asked) return;
      asked = term;
      const response = await fetch(`${list.dataset.url}?${new URLSearchParams({ q: term })}`, { credentials: "same-origin" });
      if (!response.ok || field.value.trim() !== term) return;
      const { people } = await response.json();
      list.replaceChildren(...people.map(({ value, text }) => Object.assign(document.createElement("option"), { value, textContent: text })));
    }, 200);
  });
});
