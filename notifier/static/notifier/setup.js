// The set-up page while one types: shows what belongs to the answers, inserts names, keeps the sentence true. Without it, all fields are there.
window.addEventListener("DOMContentLoaded", () => {
  const form = document.getElementById("setup_form");
  if (!form) return;
  const WAIT_MS = 250;
  let facts = JSON.parse(document.getElementById("facts").textContent);
  let timer = 0, asked = 0, lastText = null;

  const chosen = (name) => [...form.querySelectorAll(`[name="${name}"]`)]
    .filter((field) => field.type === "select-one" || field.checked).map((field) => field.value);

  const isAboutObject = () => /^(post_|m2m_)/.test(chosen("when")[0]);

  function show() {
    for (const part of form.querySelectorAll("[data-if]")) {
      const [name, value] = part.dataset.if.split("=");
      part.hidden = !chosen(name).includes(value);
    }
    field("model").querySelector("[data-required]").hidden = !isAboutObject();
    field("model").hidden = chosen("when")[0].startsWith("user_");
    field("condition").hidden = isAboutObject() && form.elements.model.value === "";
  }

  const field = (name) => document.getElementById(`id_${name}`).closest(".group");

  // A first draft stands in what nobody has written in, and goes when something else is chosen. Who empties a field wants it empty.
  function draft(before) {
    for (const box of form.querySelectorAll("[data-if^='channels='] textarea, [data-if^='channels='] input[type=text]")) {
      const part = box.name.slice(box.name.lastIndexOf("_") + 1);
      const untouched = (box.value === "" && !("written" in box.dataset)) || (before && box.value === before.start[part]);
      if (untouched && (form.elements.model.value || !isAboutObject())) box.value = facts.start[part];
    }
  }

  function chips() {
    for (const group of form.querySelectorAll("[data-chips]")) {
      const buttons = facts.chips[group.dataset.chips].map(([words, text]) => {
        const button = document.createElement("button");
        Object.assign(button, { type: "button", textContent: words, title: text });
        button.dataset.insert = text;
        return button;
      });
      group.replaceChildren(...buttons);
      group.hidden = buttons.length === 0;
    }
  }

  function render(before) {
    const summary = document.getElementById("summary");
    if (summary.textContent !== facts.summary) summary.textContent = facts.summary;
    form.elements.name.placeholder = facts.name;
    if (!before || JSON.stringify(before.chips) !== JSON.stringify(facts.chips)) chips();
    draft(before);
  }

  async function refresh() {
    const turn = ++asked;
    const answer = await fetch(form.dataset.facts, { method: "POST", body: new FormData(form) });
    if (!answer.ok || turn !== asked) return;
    const before = facts;
    facts = await answer.json();
    render(before);
  }

  function changed() {
    show();
    clearTimeout(timer);
    timer = setTimeout(refresh, WAIT_MS);
  }

  // Where somebody has just written in this channel, or else its text.
  function textOf(group) {
    const channel = group.closest("fieldset");
    return channel.contains(lastText) ? lastText : channel.querySelector("textarea");
  }

  function insert(button) {
    const group = button.closest("[data-chips]");
    const into = group.dataset.into ? document.getElementById(group.dataset.into) : textOf(group);
    const lines = group.dataset.chips === "paths";
    const start = lines ? into.value.length : into.selectionStart, end = lines ? start : into.selectionEnd;
    const glue = group.dataset.chips === "texts" || start === 0 || /\s$/.test(into.value.slice(0, start)) ? "" : lines ? "\n" : " ";
    into.setRangeText(glue + button.dataset.insert, start, end, "end");
    into.focus();
    into.dispatchEvent(new Event("input", { bubbles: true }));
  }

  form.addEventListener("input", (event) => { event.target.dataset.written = ""; });
  form.addEventListener("input", changed);
  form.addEventListener("change", changed);
  // select2 tells only jQuery.
  if (window.django && django.jQuery) django.jQuery(form).on("select2:select select2:unselect", changed);
  form.addEventListener("focusin", (event) => {
    if (event.target.matches("fieldset textarea, fieldset input")) lastText = event.target;
  });
  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-insert]");
    if (button) insert(button);
  });

  const star = document.createElement("span");
  Object.assign(star, { className: "text-red-600 dark:text-red-500", textContent: "*" });
  star.dataset.required = "";
  field("model").querySelector("label").append(star);
  show();
  render(null);
  // On a phone the first error is screens away from the note on top.
  form.querySelector(".errors")?.querySelector("input, select, textarea")?.focus();
});
