/* What HTML can't do. Loaded in <head> so that the theme is set before the first paint. All listeners are on the
   document, so parts swapped in by htmx need no setup. Without this file, everything but the countdown works. */
"use strict";

{
  const root = document.documentElement;
  const query = (selector) => document.querySelector(selector);

  /* --- Theme: the system's, unless the reader chose the other one. The Django admin uses the same storage key. --- */
  const systemIsDark = matchMedia("(prefers-color-scheme: dark)");

  function readTheme() {
    root.dataset.theme = localStorage.getItem("theme") || "auto";
  }

  function toggleTheme() {
    const system = systemIsDark.matches ? "dark" : "light";
    const current = root.dataset.theme === "auto" ? system : root.dataset.theme;
    const next = current === "dark" ? "light" : "dark";
    localStorage.setItem("theme", next === system ? "auto" : next);
    readTheme();
  }

  readTheme();
  addEventListener("storage", readTheme);

  /* --- Time zone: the server formats times and needs to know the reader's zone. --- */
  const secure = location.protocol === "https:" ? "; Secure" : "";
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  document.cookie = `tz=${zone}; path=/; max-age=31536000; SameSite=Lax${secure}`;

  /* --- Screen reader announcements --- */
  function announce(name) {
    const announcer = query("#announcer");
    if (!announcer) return;
    announcer.textContent = "";
    requestAnimationFrame(() => (announcer.textContent = announcer.dataset[name]));
  }

  /* --- Copy --- */
  root.toggleAttribute("data-no-clipboard", !navigator.clipboard); // not available over plain HTTP

  async function copy(button) {
    const source = button.dataset.copy;
    const text = source.startsWith("#") ? query(source).textContent.trim() : source;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      return announce("uncopied"); // the reader denied the browser's request
    }
    announce("copied");
    button.classList.add("is-copied");
    setTimeout(() => button.classList.remove("is-copied"), 1500);
  }

  /* --- One click listener for the page --- */
  const clicks = {
    "[data-theme-toggle]": toggleTheme,
    "[data-copy]": copy,
    "[data-reload]": () => location.reload(),
    "[data-find]": () => press("/"),
    "[data-shortcuts-toggle]": toggleShortcuts,
  };

  document.addEventListener("click", (event) => {
    for (const [selector, act] of Object.entries(clicks)) {
      const element = event.target.closest(selector);
      if (element) act(element);
    }
  });

  /* --- Rows open what their first link opens, but a selection of text stays --- */
  document.addEventListener("click", (event) => {
    const row = event.target.closest(".table--rows tbody tr");
    const link = row?.querySelector(".table__main");
    if (!link || event.target.closest("a, button, input, label") || String(getSelection())) return;
    if (event.target.closest(".table__pick")) return void row.querySelector("[name=link]").click();
    link.dispatchEvent(new MouseEvent("click", event)); // with Ctrl and the like
  });

  /* --- Menus: one at a time, closed by Escape and by a click elsewhere --- */
  const closeMenus = (except) => {
    for (const menu of document.querySelectorAll(":is(.chip__menu, .more)[open]")) if (menu !== except) menu.open = false;
  };

  document.addEventListener("click", (event) => closeMenus(event.target.closest(".chip__menu, .more")));
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && event.target.closest(":is(.chip__menu, .more)[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  document.addEventListener(
    "toggle",
    (event) => {
      if (event.target.matches(".chip__menu[open]")) event.target.querySelector("input[type=search]")?.focus();
    },
    true, // it doesn't bubble
  );

  /* --- Focus, and menus that stay open, after a swap that replaces them --- */
  const FOCUSABLE = "summary, a[href], button, input:not([type=hidden]), select, textarea";
  let focusedIn = []; // IDs of what has the focus and of what is around it
  let opened = "";

  function noteFocus() {
    focusedIn = [];
    for (let each = document.activeElement; each && each.id !== "main"; each = each.parentElement) {
      if (each.id) focusedIn.push(each.id);
    }
  }

  document.addEventListener("htmx:beforeRequest", noteFocus); // before the button is disabled, and loses it
  document.addEventListener("htmx:beforeSwap", () => {
    if (document.activeElement !== document.body) noteFocus();
    opened = document.activeElement?.closest("[data-stays-open][open]")?.id;
  });
  document.addEventListener("htmx:afterSwap", () => {
    const menu = opened && document.getElementById(opened);
    if (menu) menu.open = true;
    if (document.activeElement !== document.body) return;
    const part = focusedIn.map((id) => document.getElementById(id)).find(Boolean);
    (part?.matches(FOCUSABLE) ? part : part?.querySelector(FOCUSABLE))?.focus({ preventScroll: true });
  });

  /* --- Palette and shortcuts: palette.js is loaded by the first key or click that needs it --- */
  const SINGLE_KEYS = "/?jkern";
  let palette;

  const usesKeys = () => localStorage.getItem("shortcuts") !== "off";

  async function press(key) {
    const dialog = query("#palette");
    if (key === "/" && !dialog.open) dialog.showModal(); // at once, so that it gets the next keys
    palette ??= import(document.body.dataset.palette);
    (await palette).press(key);
  }

  document.addEventListener("keydown", (event) => {
    const controlK = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey);
    const typing = event.target.matches("input:not([type=checkbox]), textarea, select");
    const single = event.key.length === 1 && SINGLE_KEYS.includes(event.key) && usesKeys();
    const isShortcut = controlK || (single && !typing && !event.ctrlKey && !event.metaKey && !event.altKey);
    if (!isShortcut || !document.body.dataset.palette || (event.repeat && !"jk".includes(event.key))) return;
    event.preventDefault();
    press(controlK ? "/" : event.key);
  });

  function nameShortcutsToggle() {
    const toggle = query("[data-shortcuts-toggle]");
    if (toggle) toggle.lastElementChild.textContent = toggle.dataset[usesKeys() ? "on" : "off"];
  }

  function toggleShortcuts() {
    if (usesKeys()) localStorage.setItem("shortcuts", "off");
    else localStorage.removeItem("shortcuts");
    nameShortcutsToggle();
  }

  document.addEventListener("DOMContentLoaded", nameShortcutsToggle);

  /* --- Days of a calendar: one tab stop. Its columns are weeks. --- */
  const DAYS_TO = { ArrowUp: -1, ArrowDown: 1, ArrowLeft: -7, ArrowRight: 7, Home: -90, End: 90 };

  document.addEventListener("keydown", (event) => {
    const calendar = event.target.closest("[data-calendar]");
    if (!calendar || !(event.key in DAYS_TO)) return;
    const days = [...calendar.querySelectorAll("a")];
    const place = days.indexOf(event.target) + DAYS_TO[event.key];
    const day = days[Math.min(days.length - 1, Math.max(0, place))];
    event.preventDefault();
    event.target.tabIndex = -1;
    day.tabIndex = 0;
    day.focus();
  });

  /* --- Forms --- */
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-autosubmit]")) event.target.form.requestSubmit();
  });

  /* Rows to select: the checkbox in the head selects the whole page, and the bar below shows the count. */
  function countSelected(form) {
    const selected = form.querySelectorAll("[name=link]:checked").length;
    const said = form.querySelector("[data-selected]");
    said.textContent = selected ? `${selected} ${said.dataset.selected}` : "";
  }

  document.addEventListener("change", (event) => {
    const form = event.target.closest("[data-selection]");
    if (!form) return;
    if (event.target.matches("[data-select-all]")) {
      for (const box of form.querySelectorAll("[name=link]")) box.checked = event.target.checked;
    }
    countSelected(form);
  });

  /* What can't be undone stays off until one of the expected texts is typed. */
  function awaitTyped(input) {
    const why = input.form.querySelector("#until-typed");
    if (!why) return;
    const button = input.form.querySelector("[type=submit]");
    why.hidden = input.dataset.expected.split("\n").includes(input.value.trim().normalize());
    button.disabled = !why.hidden;
    if (why.hidden) button.removeAttribute("aria-describedby");
    else button.setAttribute("aria-describedby", why.id);
  }

  document.addEventListener("input", (event) => {
    if (event.target.matches("[data-expected]")) awaitTyped(event.target);
  });

  /* People paste "482-193" and "482 193"; banks want 482193. */
  document.addEventListener("input", (event) => {
    const input = event.target;
    if (!input.matches("[data-code]")) return;
    const bare = input.value.replace(/[\s\p{Z}\p{Cf}\p{Pd}\u2212\u00b7\u2022\u2219\u22c5\u30fb]/gu, "");
    if (bare !== input.value && /^\p{Nd}+$/u.test(bare)) input.value = bare;
  });

  /* Show a message for a bank's picture that the browser can't read. The event doesn't bubble. */
  document.addEventListener(
    "error",
    (event) => {
      const figure = event.target.closest?.("[data-picture]");
      if (!figure) return;
      figure.hidden = true;
      figure.parentElement.querySelector("[data-picture-broken]").hidden = false;
    },
    true,
  );

  /* Submit changes once. htmx forms use hx-disabled-elt; repeating a GET is harmless. */
  function setBusy(form, busy) {
    form.toggleAttribute("data-sent", busy);
    form.setAttribute("aria-busy", busy);
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    const method = event.submitter?.getAttribute("formmethod") || form.method;
    if (form.id === "find-form") event.preventDefault(); // Enter before palette.js is loaded
    if (event.defaultPrevented || method !== "post") return;
    if (form.hasAttribute("data-sent")) event.preventDefault();
    else setBusy(form, true);
  });

  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) setBusy(form, false);
  });

  /* --- Clocks: all tick once a second, corrected to the server's clock --- */
  const seenAt = new WeakMap();

  function serverNow(element) {
    if (!seenAt.has(element)) seenAt.set(element, Date.now());
    return Date.parse(element.dataset.now) + Date.now() - seenAt.get(element);
  }

  const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;

  function closeCountdown(element) {
    const scope = element.closest("[data-countdown-scope]") || document;
    for (const over of scope.querySelectorAll("[data-countdown-over]")) over.hidden = false;
    for (const control of element.closest("form")?.elements || []) control.disabled = true;
    htmx.trigger(scope, "countdown-over"); // parts that need more than a sentence redraw themselves
  }

  function tickCountdown(element) {
    const left = Math.max(0, Math.ceil((Date.parse(element.dataset.countdown) - serverNow(element)) / 1000));
    const box = element.closest(".countdown");
    const bar = box?.querySelector("progress");
    const tone = left === 0 ? "bad" : left < 60 ? "warn" : "quiet";
    element.textContent = clock(left);
    if (bar) bar.value = left;
    if (element.dataset.tone === tone) return;
    if (tone !== "quiet" && (element.dataset.tone || left === 0)) announce(left === 0 ? "over" : "minute");
    element.dataset.tone = tone;
    box?.classList.toggle("tone-warn", tone === "warn");
    box?.classList.toggle("tone-bad", tone === "bad");
    if (left === 0) closeCountdown(element);
  }

  function tickElapsed(element) {
    const seconds = Math.max(0, Math.floor((serverNow(element) - Date.parse(element.dataset.elapsedSince)) / 1000));
    element.textContent = seconds < 60 ? `${seconds} s` : clock(seconds);
  }

  function tick() {
    document.querySelectorAll("[data-countdown]").forEach(tickCountdown);
    document.querySelectorAll("[data-elapsed-since]").forEach(tickElapsed);
  }

  setInterval(tick, 1000);

  /* --- After a page or part is loaded --- */
  const FIRST_FIELD = ":is([data-focus-first], .page-head + .panel--form) :is(input:not([type=hidden]), select, textarea)";

  function arrived(part) {
    const target = part.matches("[data-autofocus]") ? part : part.querySelector("[data-autofocus]");
    (target || part.querySelector(FIRST_FIELD))?.focus();
    for (const box of part.querySelectorAll("[data-select-all]")) box.hidden = false;
    for (const form of part.querySelectorAll("[data-selection]")) countSelected(form);
    for (const input of part.querySelectorAll("[data-expected]")) awaitTyped(input);
    tick();
  }

  document.addEventListener("DOMContentLoaded", () => arrived(document.body));
  document.addEventListener("htmx:load", (event) => {
    if (event.target !== document.body) arrived(event.target);
  });

  /* --- Missing responses, and pages that aren't ours --- */
  function showFailure(event) {
    const status = event.detail.xhr?.status || 0;
    const words = query(status >= 400 && status < 500 ? "#refused" : "#unreachable");
    const { elt } = event.detail;
    const place = elt.matches("[data-optimistic]") && elt.isConnected ? elt : query("#toasts");
    if (!place || place.querySelector(".alert")) return;
    const alert = words.content.firstElementChild.cloneNode(true);
    if (place === elt) alert.role = "alert"; // toasts are live already
    place.prepend(alert);
  }

  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr } = event.detail;
    if (![286, 409, 429, 503].includes(xhr.status) || xhr.getResponseHeader("Retry-After") === null) return;
    query("#storage-refused, #not-sent")?.remove(); // show it only once
    event.detail.shouldSwap = true; // an error page of ours
    event.detail.isError = false;
  });

  for (const failure of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(failure, showFailure);
  }
  document.addEventListener("htmx:afterRequest", (event) => {
    const { successful, xhr } = event.detail;
    if (successful && xhr.status < 400) query("#toasts")?.replaceChildren();
  });
}
