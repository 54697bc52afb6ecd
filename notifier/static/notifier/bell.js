// The bell: unread notifications, live by the inbox's stream, with polling where a stream does not come through.
// What it shows is the server's; an item has a number that grows with each change, so what comes twice or too late is known by it.

const LISTED = 100;
// Longer than a server keeps a stream open: one that is still "open" then has been cut where nobody noticed.
const RENEW_AFTER = 6 * 60_000;
// A stream that does not even open is kept back by a proxy.
const OPENS_WITHIN = 15_000;
const SLOWEST_POLL = 60_000;
// After so many polls the stream is tried again.
const POLLS_A_TRY = 12;
const AGES = [["year", 31536000], ["month", 2592000], ["week", 604800], ["day", 86400], ["hour", 3600], ["minute", 60]];

class NotifierBell extends HTMLElement {
  #items = new Map();    // id → the latest that is known of it
  #rows = new Map();     // id → its element
  #cursor = null;        // the number up to which every change has come
  #shownUpTo = 0;        // the number up to which the list is what the person has seen
  #newest = 0;           // the highest id so far
  #oldest = 0;           // the lowest id of the list, where there are older ones
  #fresh = [];           // what has come since the last announcement
  #polls = 0;
  #signedOut = false;

  connectedCallback() {
    if (!this.dataset.inbox) return;
    this.inbox = new URL(this.dataset.inbox, location.href).href;
    this.texts = JSON.parse(this.dataset.texts);
    this.unread = Number(this.dataset.unread);
    this.parts ??= this.#prepare();
    this.#listen();
    this.#connect();
  }

  disconnectedCallback() {
    this.#listening?.abort();
    this.#disconnect();
  }

  // The parts of the page.

  #listening;

  #prepare() {
    const parts = {};
    for (const each of this.querySelectorAll("[data-bell]")) parts[each.dataset.bell] = each;
    // Without this script it is a link to the page with all of them.
    const button = document.createElement("button");
    button.type = "button";
    button.className = parts.button.className;
    button.append(...parts.button.childNodes);
    button.setAttribute("aria-haspopup", "dialog");
    button.setAttribute("aria-expanded", "false");
    parts.button.replaceWith(button);
    return { ...parts, button };
  }

  #listen() {
    this.#listening = new AbortController();
    const { button, panel } = this.parts;
    const on = (target, name, listener) => target.addEventListener(name, listener, { signal: this.#listening.signal });
    on(button, "click", () => (panel.hidden ? this.#open() : this.#close()));
    on(button, "keydown", (event) => this.#onButtonKey(event));
    on(panel, "keydown", (event) => this.#onPanelKey(event));
    on(panel, "focusout", (event) => event.relatedTarget && !this.contains(event.relatedTarget) && this.#close());
    on(this, "keydown", (event) => event.key === "Escape" && !panel.hidden && (event.stopPropagation(), this.#close(true)));
    on(document, "pointerdown", (event) => panel.hidden || this.contains(event.target) || this.#close());
    on(this.parts["read-all"], "click", () => this.#readAll());
    // A page that nobody looks at holds no connection: browsers have six a site, and a server each one.
    on(document, "visibilitychange", () => this.#connect());
    on(window, "online", () => this.#connect());
    on(window, "pageshow", (event) => event.persisted && this.#connect());
    on(window, "pagehide", () => this.#disconnect());
  }

  #open(thenFirst = false) {
    const { button, panel } = this.parts;
    panel.hidden = false;
    button.setAttribute("aria-expanded", "true");
    panel.style.setProperty("--bell-top", `${Math.max(0, button.getBoundingClientRect().bottom + 6)}px`);
    panel.removeAttribute("data-from-start");
    panel.toggleAttribute("data-from-start", panel.getBoundingClientRect().left < 0);
    panel.focus({ preventScroll: true });
    this.#say("notice", this.#signedOut ? this.texts.signedOut : "");
    this.#draw();
    // The newest may just be on its way; who has gone on meanwhile is not called back.
    this.#load().then(() => thenFirst && document.activeElement === panel && this.#focusRow(0));
  }

  #close(returnFocus = false) {
    this.parts.panel.hidden = true;
    this.parts.button.setAttribute("aria-expanded", "false");
    if (returnFocus) this.parts.button.focus();
  }

  #onButtonKey(event) {
    if (event.key !== "ArrowDown") return;
    event.preventDefault();
    if (this.parts.panel.hidden) this.#open(true);
    else this.#focusRow(0);
  }

  #onPanelKey(event) {
    const rows = [...this.parts.list.children];
    const here = rows.findIndex((row) => row.contains(document.activeElement));
    const to = { ArrowDown: here + 1, ArrowUp: Math.max(here - 1, 0), Home: 0, End: rows.length - 1 }[event.key];
    if (to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.#focusRow(to);
  }

  #focusRow(index) {
    const rows = this.parts.list.children;
    rows[Math.min(index, rows.length - 1)]?.querySelector(".notifier-bell-main").focus();
  }

  // What is known, and how it looks.

  /** Take what the server says of an item. What is older than what is known, or the same, changes nothing. */
  #take(item) {
    const known = this.#items.get(item.id);
    if (known && known.sequence >= item.sequence) return false;
    this.#items.set(item.id, item);
    return true;
  }

  #takeLive(item) {
    if (!this.#take(item)) return;
    if (item.id > this.#newest && !item.read_at && !item.archived_at) this.#fresh.push(item);
    this.#newest = Math.max(this.#newest, item.id);
  }

  /** After a batch: where the inbox stands now. */
  #settle({ unread, sequence }) {
    // The first such word can come after the list, and tells of none of the items in between.
    const isBehind = this.#cursor === null && this.#loaded && sequence > this.#shownUpTo;
    if (this.#cursor !== null && sequence < this.#cursor) this.#forget();
    this.#cursor = sequence;
    if (!this.parts.panel.hidden) this.#shownUpTo = Math.max(this.#shownUpTo, sequence);
    if (this.#signedOut) this.#say("notice", "");
    this.#signedOut = false;
    this.#show(unread);
    this.#announce();
    this.#draw();
    if (isBehind && !this.parts.panel.hidden) this.#load();
  }

  /** The server counts from anew: another database. */
  #forget() {
    this.#items.clear();
    this.#newest = this.#oldest = this.#shownUpTo = 0;
    if (!this.parts.panel.hidden) this.#load();
  }

  #show(unread) {
    this.unread = Math.max(0, unread);
    this.dataset.unread = this.unread;
    const { badge, label } = this.parts;
    badge.hidden = !this.unread || this.#signedOut;
    badge.textContent = this.unread > 99 ? "99+" : this.unread;
    label.textContent = this.unread && !this.#signedOut ? fill(this.texts.unread, { count: this.unread }) : this.texts.none;
    this.parts["read-all"].hidden = badge.hidden;
  }

  #announce() {
    const [first, ...others] = this.#fresh.splice(0);
    if (!first) return;
    this.parts.announcement.textContent = others.length
      ? fill(this.texts.several, { count: others.length + 1 })
      : fill(this.texts.new, { title: titleOf(first) });
  }

  #say(part, text) {
    this.parts[part].textContent = text;
    this.parts[part].hidden = !text;
  }

  #draw() {
    if (this.parts.panel.hidden) return;
    const { list } = this.parts;
    const shown = [...this.#items.values()].filter((item) => !item.archived_at && item.id >= this.#oldest);
    shown.sort((one, other) => other.id - one.id).splice(LISTED);
    const kept = new Set(shown.map((item) => item.id));
    for (const [id, row] of this.#rows) {
      if (kept.has(id)) continue;
      row.remove();
      this.#rows.delete(id);
    }
    shown.forEach((item, place) => {
      const row = this.#rows.get(item.id) ?? this.#makeRow(item);
      fillRow(row, item);
      // What stands where it belongs is not moved: it would lose the focus.
      if (list.children[place] !== row) list.insertBefore(row, list.children[place] ?? null);
    });
    this.parts["read-all"].hidden = !this.unread || this.#signedOut;
    this.parts.empty.hidden = !this.#loaded || shown.length > 0;
    this.parts.loading.hidden = this.#loaded || shown.length > 0;
  }

  #makeRow(item) {
    const row = this.parts.item.content.firstElementChild.cloneNode(true);
    const part = (name) => row.querySelector(`[data-bell="${name}"]`);
    const link = safeLink(item.link);
    const main = document.createElement(link ? "a" : "button");
    if (link) {
      main.href = link;
      if (!link.startsWith(location.origin + "/")) main.rel = "noopener noreferrer";
    } else {
      main.type = "button";
    }
    main.className = "notifier-bell-main";
    const words = part("words");
    words.replaceWith(main);
    main.append(words);
    main.addEventListener("click", () => this.#read(item.id));
    main.addEventListener("auxclick", (event) => event.button === 1 && this.#read(item.id));
    part("archive").addEventListener("click", () => this.#archive(item.id));
    part("archive").setAttribute("aria-label", fill(this.texts.archive, { title: titleOf(item) }));
    this.#rows.set(item.id, row);
    return row;
  }

  // What a person does.

  async #read(id) {
    if (this.#items.get(id).read_at) return;
    await this.#change(`${id}/read/`, (item) => this.#take(item) && this.#show(this.unread - 1));
  }

  async #archive(id) {
    const row = this.#rows.get(id);
    const place = [...this.parts.list.children].indexOf(row);
    const { read_at: wasRead } = this.#items.get(id);
    await this.#change(`${id}/archive/`, (item) => this.#take(item) && !wasRead && this.#show(this.unread - 1));
    if (this.#rows.has(id)) return;
    if (this.parts.list.children.length) this.#focusRow(place);
    else this.parts.panel.focus();
  }

  async #readAll() {
    this.parts.panel.focus();
    await this.#change("read/", ({ unread }) => {
      const now = new Date().toISOString();
      // Their own numbers stay as they are: the stream brings the items as the server has them.
      for (const item of this.#items.values()) if (item.sequence <= this.#shownUpTo) item.read_at ??= now;
      this.#show(unread);
    }, { up_to: this.#shownUpTo });
  }

  async #change(path, done, body = {}) {
    try {
      // It goes on while the browser is already on its way to the item's link.
      done(await this.#fetch(path, {
        method: "POST", keepalive: true, body: JSON.stringify(body),
        headers: { "Content-Type": "application/json", [this.dataset.csrfHeader]: this.#token() },
      }));
      if (!this.#signedOut) this.#say("notice", "");
    } catch {
      if (!this.#signedOut) this.#say("notice", this.texts.failed);
    }
    this.#draw();
  }

  #token() {
    const name = this.dataset.csrfCookie;
    const found = name && document.cookie.split("; ").find((cookie) => cookie.startsWith(`${name}=`));
    return found ? decodeURIComponent(found.slice(name.length + 1)) : this.dataset.csrfToken;
  }

  // What the server says.

  #source = null;
  #timer = null;
  #renewal = null;
  #loaded = false;

  #connect() {
    this.#disconnect();
    if (document.hidden) return;
    if (!window.EventSource) {
      this.#poll();
      return;
    }
    const source = (this.#source = new EventSource(this.#since("stream/")));
    const renewAfter = (milliseconds, how) => {
      clearTimeout(this.#renewal);
      this.#renewal = setTimeout(how, milliseconds);
    };
    renewAfter(OPENS_WITHIN, () => this.#poll());
    source.addEventListener("open", () => renewAfter(RENEW_AFTER, () => this.#connect()));
    source.addEventListener("item", (event) => this.#takeLive(JSON.parse(event.data)));
    source.addEventListener("unread", (event) => this.#settle(JSON.parse(event.data)));
    // A connection that is cut comes back by itself; one that the server refuses does not.
    source.addEventListener("error", () => source.readyState === EventSource.CLOSED && this.#source === source && this.#poll());
  }

  #disconnect() {
    this.#source?.close();
    this.#source = null;
    clearTimeout(this.#timer);
    clearTimeout(this.#renewal);
  }

  async #poll(failures = 0) {
    this.#disconnect();
    if (document.hidden) return;
    try {
      await this.#fetchChanges();
      failures = 0;
    } catch {
      failures += 1;
    }
    if (this.#signedOut || !this.isConnected || this.#source) return;
    this.#polls += 1;
    const pause = Math.min(Number(this.dataset.pollSeconds) * 1000 * 2 ** failures, SLOWEST_POLL);
    this.#timer = setTimeout(() => (this.#polls % POLLS_A_TRY ? this.#poll(failures) : this.#connect()), pause);
  }

  async #fetchChanges() {
    if (this.#cursor === null) {
      this.#settle(await this.#fetch("unread/"));
      return;
    }
    for (let more = true; more; ) {
      const page = await this.#fetch(this.#since(""));
      for (const item of page.items) this.#takeLive(item);
      more = page.next && page.items.length > 0;
      if (more) this.#cursor = page.items.at(-1).sequence;
      else this.#settle(page);
    }
  }

  /** The newest of the list, when it is opened. */
  async #load() {
    try {
      const page = await this.#fetch("");
      for (const item of page.items) this.#take(item);
      this.#oldest = page.next ? page.items.at(-1).id : 0;
      this.#newest = Math.max(this.#newest, ...page.items.map((item) => item.id));
      this.#shownUpTo = Math.max(page.sequence, this.#cursor ?? 0);
      this.#loaded = true;
      if (page.sequence >= (this.#cursor ?? 0)) this.#show(page.unread);
    } catch {
      if (!this.#signedOut) this.#say("notice", this.texts.failed);
    }
    this.#draw();
  }

  #since(path) {
    const url = new URL(path, this.inbox);
    if (this.#cursor !== null) url.searchParams.set("since", this.#cursor);
    return url.href;
  }

  async #fetch(path, options = {}) {
    // The browser asks by the ETag that it has kept, and is answered by 304 where nothing has changed.
    const response = await fetch(new URL(path, this.inbox), { credentials: "same-origin", redirect: "error", cache: "no-cache", ...options });
    if (response.status === 401) this.#signOut();
    if (!response.ok) throw new Error(`${response.status}`);
    return response.json();
  }

  #signOut() {
    this.#signedOut = true;
    this.#disconnect();
    this.#items.clear();
    this.#cursor = null;
    this.#loaded = true;
    this.#show(0);
    this.#say("notice", this.texts.signedOut);
    this.#draw();
  }
}

function fillRow(row, item) {
  const part = (name) => row.querySelector(`[data-bell="${name}"]`);
  const picture = /^(\/|https?:)/.test(item.icon) && safeLink(item.icon);
  row.toggleAttribute("data-unread", !item.read_at);
  part("dot").hidden = Boolean(item.read_at);
  setText(part("title"), titleOf(item));
  setText(part("text"), item.title ? item.text : item.text.split("\n").slice(1).join("\n"));
  setText(part("time"), age(new Date(item.created_at)));
  part("time").dateTime = item.created_at;
  part("time").title = new Date(item.created_at).toLocaleString(document.documentElement.lang || undefined);
  if (!picture) {
    setText(part("icon"), item.icon);
  } else if (!part("icon").firstElementChild) {
    part("icon").append(Object.assign(new Image(), { src: picture, alt: "", loading: "lazy", referrerPolicy: "no-referrer" }));
  }
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function titleOf(item) {
  return item.title || item.text.split("\n")[0];
}

/** The address, if it is one of this site or of another by http(s); else null. */
function safeLink(link) {
  if (!/^(\/|https?:\/\/)/i.test(link)) return null;
  try {
    const url = new URL(link, location.origin);
    if (link.startsWith("/") && url.origin !== location.origin) return null;
    return ["http:", "https:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

function age(then) {
  const seconds = (then - Date.now()) / 1000;
  const words = new Intl.RelativeTimeFormat(document.documentElement.lang || undefined, { numeric: "auto" });
  const [unit, length] = AGES.find(([, length]) => -seconds >= length) ?? ["second", 1];
  return words.format(unit === "second" ? 0 : Math.trunc(seconds / length), unit);
}

function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

if (!customElements.get("notifier-bell")) customElements.define("notifier-bell", NotifierBell);
