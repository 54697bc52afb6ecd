// The page of preferences works without this. With it, the device's time zone is one click away, and a column that is off looks so.

for (const place of document.querySelectorAll("[data-suggest]")) {
  const field = document.getElementById(place.dataset.suggest);
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!field || !zone || field.value === zone) continue;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "plain";
  button.textContent = place.dataset.words.replace("%s", zone);
  button.addEventListener("click", () => {
    field.value = zone;
    place.hidden = true;
    field.focus();
  });
  place.append(button);
  place.hidden = false;
}

function showColumns() {
  for (const all of document.querySelectorAll("input[data-all]")) {
    for (const box of document.querySelectorAll(`input[data-channel="${all.dataset.channel}"]:not([data-all])`)) {
      box.closest("td").classList.toggle("off", !all.checked);
    }
  }
}

document.addEventListener("change", showColumns);
showColumns();
