// Checkboxes whose order counts get a button that moves them up. Without it they are sent in the order in which they are shown.
(() => {
  function prepare(root) {
    for (const box of root.querySelectorAll("input[type=checkbox][data-ordered]")) {
      const row = box.closest("label")?.parentElement;
      if (!row || row.querySelector(".notifier-up")) continue;
      const button = document.createElement("button");
      Object.assign(button, { type: "button", textContent: "↑", className: "notifier-up", title: box.dataset.ordered });
      button.setAttribute("aria-label", `${box.dataset.ordered}: ${box.closest("label").textContent.trim()}`);
      button.addEventListener("click", () => {
        row.previousElementSibling?.before(row);
        button.focus();
      });
      row.classList.add("notifier-ordered");
      row.append(button);
    }
  }
  window.addEventListener("DOMContentLoaded", () => prepare(document));
  document.addEventListener("formset:added", (event) => prepare(event.target));
})();
