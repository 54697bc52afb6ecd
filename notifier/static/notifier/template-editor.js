/* The template editor: contents as tabs, the live preview, “Send to me”. Saving needs none of it. */
(() => {
  "use strict";

  const TYPING_MS = 350;
  const PHONE_WIDTH = 375, DESKTOP_WIDTH = 680;
  const FIELDS = ["channel", "language", "file", "subject", "text", "html", "link", "icon"];

  const group = document.getElementById("contents-group");
  const pane = document.getElementById("notifier-preview");
  if (!group || !pane) return;

  const tabs = group.querySelector(".notifier-tabs");
  const addButton = group.querySelector(".notifier-add");
  const total = document.getElementById("id_contents-TOTAL_FORMS");
  const sections = () => [...group.querySelectorAll(".notifier-content")];
  const control = (section, name) => section.querySelector(`[name="${section.dataset.prefix}-${name}"]`);
  const show = (name) => pane.querySelectorAll(`[data-show="${name}"]`);
  let current = null, timer = null, running = null, last = null, edited = null;

  /* Tabs */

  function nameOf(section) {
    const channel = control(section, "channel"), language = control(section, "language");
    if (!channel) return section.dataset.name || pane.dataset.new;
    const chosen = [channel.value, language && language.value].filter(Boolean).join(" · ");
    return chosen || pane.dataset.new;
  }

  function drawTabs() {
    tabs.replaceChildren(...sections().map((section, index) => {
      const tab = document.createElement("button");
      tab.type = "button";
      tab.id = `notifier-tab-${index}`;
      tab.setAttribute("role", "tab");
      tab.setAttribute("aria-selected", section === current);
      tab.setAttribute("aria-controls", section.id);
      tab.tabIndex = section === current ? 0 : -1;
      tab.textContent = nameOf(section);
      tab.classList.toggle("has-errors", Boolean(section.querySelector(".errors, .notifier-field-errors li")));
      tab.classList.toggle("is-deleted", isDeleted(section));
      tab.addEventListener("click", () => open(section));
      section.setAttribute("role", "tabpanel");
      section.setAttribute("aria-labelledby", tab.id);
      section.hidden = section !== current;
      return tab;
    }));
    tabs.hidden = sections().length < 2;
  }

  function open(section) {
    if (current !== section) edited = null;
    current = section;
    drawTabs();
    preview();
  }

  tabs.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const all = sections();
    open(all[(all.indexOf(current) + step + all.length) % all.length]);
    tabs.querySelector('[aria-selected="true"]').focus();
    event.preventDefault();
  });

  function isDeleted(section) {
    const box = control(section, "DELETE");
    return Boolean(box && box.checked);
  }

  function add() {
    const index = total.value, empty = document.getElementById("contents-empty");
    const holder = document.createElement("div");
    holder.innerHTML = empty.innerHTML.replaceAll("__prefix__", index);
    const section = holder.querySelector(".notifier-content");
    empty.before(section);
    total.value = Number(index) + 1;
    const channel = control(section, "channel"), taken = sections().map((each) => each !== section && control(each, "channel")?.value);
    const free = [...channel.options].find((option) => !taken.includes(option.value));
    if (free) channel.value = free.value;
    open(section);
    channel.focus();
  }

  if (addButton) {
    addButton.hidden = false;
    addButton.addEventListener("click", add);
  }

  /* The preview */

  function typed() {
    const data = new FormData();
    data.append("csrfmiddlewaretoken", pane.querySelector("[name=csrfmiddlewaretoken]").value);
    data.append("template", pane.dataset.template);
    data.append("content", current.dataset.content);
    for (const name of FIELDS) {
      const input = control(current, name);
      if (input) data.append(name, input.value);
    }
    for (const name of ["event", "person"]) data.append(name, pane.querySelector(`[name=${name}]`).value);
    if (pane.querySelector("[name=images]").checked) data.append("images", "1");
    return data;
  }

  async function ask(url, options) {
    const answer = await fetch(url, { method: "POST", body: typed(), credentials: "same-origin", ...options });
    if (!answer.ok) throw new Error(answer.status);
    return answer.json();
  }

  async function preview() {
    if (!current) return;
    if (running) running.abort();
    const mine = (running = new AbortController()), section = current;
    const stage = pane.querySelector(".notifier-stage");
    stage.setAttribute("aria-busy", "true");
    try {
      const found = await ask(pane.dataset.url, { signal: mine.signal });
      if (section === current) draw(found, section);
    } catch (error) {
      if (error.name === "AbortError") return;
      say("error", pane.dataset.failed);
    }
    if (running === mine) stage.setAttribute("aria-busy", "false");
  }

  function later() {
    clearTimeout(timer);
    timer = setTimeout(preview, TYPING_MS);
  }

  function say(name, text) {
    for (const place of show(name)) {
      if (place.textContent !== text) place.textContent = text;
      if (place.matches("p")) place.hidden = !text;
    }
  }

  function draw(found, section) {
    drawProblems(found, section);
    say("name", nameOf(section));
    const [error] = found.errors;
    say("error", error ? error.text : "");
    pane.classList.toggle("is-stale", Boolean(error));
    // Where something stands in a part that the channel does not show, it stays in sight all the same.
    for (const part of found.look ? ["subject", "html", "link", "icon"] : []) {
      const input = control(section, part);
      if (input) input.closest(".notifier-field").hidden = !found.parts.includes(part) && !input.value;
    }
    if (error) return; // What was shown last stays, paler, until it can be rendered again.
    last = found;
    for (const name of ["sender", "recipient", "subject", "text", "link", "icon", "count", "cost", "note"]) say(name, found[name]);
    for (const each of pane.querySelectorAll("[data-look]")) each.hidden = each.dataset.look !== found.look;
    for (const each of pane.querySelectorAll("[data-for]")) each.hidden = each.dataset.for !== found.look;
    drawBubbles(found);
    drawMail();
    const meter = pane.querySelector(".notifier-meter"), bar = meter.querySelector("progress");
    meter.hidden = !found.count && !found.cost;
    bar.hidden = !found.limit;
    bar.max = found.limit || 1;
    bar.value = Math.min(found.length, bar.max);
    bar.classList.toggle("is-over", found.length > found.limit);
  }

  function drawBubbles(found) {
    const list = pane.querySelector(".notifier-bubbles");
    list.replaceChildren(...found.pieces.map((piece) => {
      const bubble = document.createElement("li");
      bubble.textContent = piece;
      return bubble;
    }));
  }

  function drawMail() {
    if (!last || last.look !== "mail") return;
    const view = pane.querySelector("[name=view]:checked").value;
    const mail = pane.querySelector(".notifier-mail"), holder = mail.querySelector(".notifier-frame");
    const frame = holder.querySelector("iframe"), plain = view === "plain" || !last.frame;
    holder.hidden = plain;
    mail.querySelector(".notifier-plain").hidden = !plain;
    if (plain) return;
    if (frame.srcdoc !== last.frame) frame.srcdoc = last.frame;
    // A mail is laid out for its reader's window, not for this pane: it gets that width, and is made smaller.
    const width = view === "phone" ? PHONE_WIDTH : DESKTOP_WIDTH, scale = Math.min(1, holder.clientWidth / width);
    frame.style.width = `${width}px`;
    frame.style.height = `${holder.clientHeight / scale}px`;
    frame.style.transform = `scale(${scale})`;
    frame.style.marginInline = scale === 1 ? "auto" : "0";
  }

  function drawProblems(found, section) {
    for (const list of section.querySelectorAll(".notifier-warnings")) list.replaceChildren();
    // What the server said of the last save stays until something is typed.
    if (edited === section || found.errors.length) for (const place of section.querySelectorAll(".notifier-field-errors")) place.replaceChildren();
    const once = new Set();
    for (const problem of found.errors) {
      const place = section.querySelector(`[data-errors="${problem.part}"]`);
      if (!place || once.has(problem.part + problem.text)) continue;
      once.add(problem.part + problem.text);
      const line = document.createElement("p");
      line.textContent = problem.text + " ";
      if (problem.line && control(section, problem.part)) line.append(lineButton(section, problem));
      place.append(line);
    }
    // Nobody has to be told that what they have not begun is empty.
    const begun = section.dataset.content || ["subject", "text", "html", "link", "icon"].some((part) => control(section, part)?.value.trim());
    for (const problem of begun ? found.warnings : []) {
      const list = section.querySelector(`[data-warnings="${problem.part}"]`);
      if (!list) continue;
      const item = document.createElement("li");
      item.textContent = problem.text;
      item.classList.toggle("is-grave", problem.grave);
      list.append(item);
    }
    for (const field of section.querySelectorAll(".notifier-field")) {
      const errors = field.querySelector(".notifier-field-errors");
      const bad = Boolean(errors && errors.textContent.trim());
      field.classList.toggle("errors", bad);
      const input = field.querySelector("input, textarea, select");
      if (input) input.toggleAttribute("aria-invalid", bad);
    }
    drawTabs();
  }

  function lineButton(section, problem) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = `${pane.dataset.line} ${problem.line}`;
    button.addEventListener("click", () => {
      const input = control(section, problem.part), lines = input.value.split("\n");
      const start = lines.slice(0, problem.line - 1).join("\n").length + (problem.line > 1 ? 1 : 0);
      input.focus();
      input.setSelectionRange(start, start + (lines[problem.line - 1] || "").length);
      if (input.matches("textarea")) input.scrollTop = (problem.line - 3) * parseFloat(getComputedStyle(input).lineHeight || 18);
    });
    return button;
  }

  group.addEventListener("input", (event) => {
    const section = event.target.closest(".notifier-content");
    if (!section) return;
    edited = section;
    say("sent", "");
    if (section !== current) return open(section);
    drawTabs();
    later();
  });
  pane.addEventListener("change", (event) => {
    if (event.target.name === "view") drawMail();
    else preview();
  });
  new ResizeObserver(drawMail).observe(pane.querySelector(".notifier-frame"));

  /* Names to write: a click puts one where the cursor was. */

  let cursor = null;
  group.addEventListener("focusout", (event) => {
    if (event.target.matches("textarea, input[type=text]") && FIELDS.slice(3).some((name) => event.target.name.endsWith(`-${name}`))) cursor = event.target;
  });
  for (const name of document.querySelectorAll(".notifier-names code")) {
    name.tabIndex = 0;
    name.setAttribute("role", "button");
    const insert = () => {
      const input = cursor && current.contains(cursor) ? cursor : current && (control(current, "text") || control(current, "html"));
      if (!input || input.readOnly) return;
      input.setRangeText(name.textContent, input.selectionStart, input.selectionEnd, "end");
      input.focus();
      input.dispatchEvent(new Event("input", { bubbles: true }));
    };
    name.addEventListener("click", insert);
    name.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      insert();
    });
  }

  /* Send to me */

  const send = pane.querySelector(".notifier-send");
  if (send) send.addEventListener("click", async () => {
    send.disabled = true;
    say("sent", "");
    try {
      const answer = await ask(pane.dataset.sendUrl);
      say("sent", answer.text + " ");
      for (const place of show("sent")) {
        place.classList.toggle("is-refused", !answer.sent);
        if (answer.url) {
          const link = document.createElement("a");
          link.href = answer.url;
          link.textContent = pane.dataset.see;
          place.append(link);
        }
      }
    } catch {
      say("sent", pane.dataset.failed);
    }
    send.disabled = false;
  });

  const wrong = sections().find((section) => section.querySelector(".errors"));
  const first = wrong || sections()[0];
  if (first) open(first);
})();
