/* Keeps an open page up to date: #live says what to poll, and parts with data-live-part are redrawn.

   A page that awaits something polls while visible. Others poll only while somebody is active, to show bars for
   integrations that can't be used. Hidden pages never poll. */
"use strict";

{
  const BAR_SECONDS = 4; // between two polls of a page that awaits nothing
  const PRESENT_MILLISECONDS = 60_000; // after the last activity
  const MOST_SECONDS = 30; // between two polls that fail
  const FAILURES_SHOWN = 3;
  const CHANGED = 200;
  const OVER = 286;

  const query = (selector) => document.querySelector(selector);
  const touched = new WeakSet(); // fields that were edited
  const held = new Map(); // new parts waiting until their forms are no longer in use, by ID

  let timer = 0;
  let failures = 0;
  let isOver = false;
  let isAsking = false;
  let polledAt = 0;
  let presentAt = Date.now();

  /* --- When to poll --- */
  function schedule() {
    clearTimeout(timer);
    timer = 0;
    const live = query("#live");
    if (!live || isOver || isAsking || document.hidden) return;
    const awaited = Number(live.dataset.seconds);
    if (!awaited && Date.now() - presentAt > PRESENT_MILLISECONDS) return;
    const seconds = Math.min(MOST_SECONDS, (awaited || BAR_SECONDS) * 2 ** failures);
    timer = setTimeout(poll, seconds * 1000 * (0.9 + 0.1 * Math.random()));
  }

  function somebodyIsThere() {
    presentAt = Date.now();
    if (timer || isAsking || document.hidden) return;
    if (presentAt - polledAt > BAR_SECONDS * 1000) poll();
    else schedule();
  }

  for (const sign of ["pointermove", "pointerdown", "keydown", "focusin"]) {
    document.addEventListener(sign, somebodyIsThere, { passive: true });
  }
  document.addEventListener("visibilitychange", () => (document.hidden ? schedule() : somebodyIsThere()));
  addEventListener("pageshow", (event) => event.persisted && somebodyIsThere());

  /* --- Poll --- */
  const ofHtmx = () => ({ "HX-Request": "true", "HX-Current-URL": location.href });

  async function poll() {
    const live = query("#live");
    if (isAsking || isOver || !live) return;
    isAsking = true;
    polledAt = Date.now();
    try {
      await ask(live);
      updatedAt = Date.now();
      if (failures >= FAILURES_SHOWN) query("#toasts")?.replaceChildren();
      failures = 0;
    } catch {
      failures += 1;
      if (failures === FAILURES_SHOWN && Number(live.dataset.seconds)) tellUnreachable();
    }
    isAsking = false;
    releaseHeld();
    schedule();
  }

  async function ask(live) {
    const url = new URL(live.dataset.url, location.href);
    url.searchParams.set("v", live.dataset.version);
    const response = await fetch(url, { headers: ofHtmx() });
    const leadsTo = response.headers.get("HX-Redirect");
    if (response.status === OVER || response.status === 401) return followTo(leadsTo);
    if (response.status >= 500) throw new Error("no answer");
    if (!response.ok) return void (isOver = true);
    live.dataset.seconds = response.headers.get("Live-Seconds") || 0;
    if (response.status !== CHANGED) return;
    const version = await response.text();
    await redraw();
    if (query("#live")) query("#live").dataset.version = version;
  }

  /* Another page continues from here. Don't discard what somebody is typing. */
  async function followTo(url) {
    const page = new URL(url, location.href);
    if (page.pathname === location.pathname) return redraw();
    isOver = true;
    if (![...document.querySelectorAll("#main form")].some(isInUse)) location.assign(page);
  }

  function tellUnreachable() {
    const toasts = query("#toasts");
    if (toasts && !toasts.hasChildNodes()) toasts.append(query("#unreachable").content.cloneNode(true));
  }

  /* --- Redraw --- */
  async function redraw() {
    const response = await fetch(location.href, { headers: { "Live-Follows": query("#live").dataset.follows } });
    if (response.status >= 500) throw new Error("no answer");
    if (response.redirected && new URL(response.url).pathname !== location.pathname) return followTo(response.url);
    if (!response.ok) return void (isOver = true);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const before = said();
    document.title = page.title;
    for (const fresh of page.querySelectorAll("[data-live-part]")) replace(document.getElementById(fresh.id), fresh);
    for (const part of document.querySelectorAll("[data-live-url]")) await redrawPart(part);
    announce(said().filter((text) => !before.includes(text)));
  }

  /* A part with a URL of its own isn't in its page as it was loaded. */
  async function redrawPart(part) {
    const follows = { "Live-Follows": query("#live").dataset.follows };
    const response = await fetch(part.dataset.liveUrl, { headers: { ...ofHtmx(), ...follows } });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (response.ok && page.getElementById(part.id)) replace(part, page.getElementById(part.id));
  }

  function replace(old, fresh) {
    if (!old) return;
    held.delete(old.id);
    letGo(old);
    if (old.matches("[data-live-offer]") && offer(old, fresh)) return;
    if (isSame(old, fresh)) return;
    put(old, fresh);
  }

  function put(old, fresh) {
    if (isInUse(old)) {
      hold(old, fresh);
      return void held.set(old.id, fresh);
    }
    const part = document.importNode(fresh, true);
    const refocus = focusIn(old);
    keepOpen(old, part);
    old.replaceWith(part);
    window.htmx?.process(part);
    part.dispatchEvent(new Event("live:drawn", { bubbles: true }));
    refocus(part);
  }

  /* --- Lists: changed rows are offered, so that none moves away under a pointer --- */
  const offered = new Map(); // new parts, by ID
  let updatedAt = Date.now();

  const rowsOf = (part) =>
    new Map([...part.querySelectorAll("tbody tr")].map((row) => [row.querySelector("a")?.getAttribute("href"), row]));

  /* What a row says, without how long ago. */
  function factsOf(row) {
    const bare = row.cloneNode(true);
    for (const time of bare.querySelectorAll("time")) time.textContent = "";
    return bare.textContent + [...bare.querySelectorAll("[href], [datetime]")].map((each) => each.outerHTML).join();
  }

  function offer(old, fresh) {
    const [before, after] = [rowsOf(old), rowsOf(fresh)];
    const changed = [...after].filter(([key, row]) => !before.has(key) || factsOf(before.get(key)) !== factsOf(row));
    const gone = [...before.keys()].filter((key) => !after.has(key));
    const count = Math.max(changed.length, gone.length);
    if (count) offered.set(old.id, fresh);
    else offered.delete(old.id);
    sayOffered(count);
    return count > 0;
  }

  function sayOffered(count) {
    const button = query("[data-show-offered]");
    if (!button) return;
    button.hidden = !count;
    button.textContent = count === 1 ? button.dataset.one : button.dataset.several.replace("{count}", count);
  }

  function showOffered() {
    const selected = [...document.querySelectorAll("[name=link]:checked")].map((box) => box.value);
    for (const [id, fresh] of offered) {
      const old = document.getElementById(id);
      for (const box of old?.querySelectorAll("input[type=checkbox]") || []) box.checked = false; // no longer in use
      if (old) put(old, fresh);
    }
    offered.clear();
    sayOffered(0);
    for (const box of document.querySelectorAll("[name=link]")) {
      if (!selected.includes(box.value)) continue;
      box.checked = true;
      box.dispatchEvent(new Event("change", { bubbles: true }));
    }
    query("#rows .table__main")?.focus({ preventScroll: true });
  }

  function sayUpdated() {
    const said = query("[data-updated]");
    if (!said) return;
    const seconds = Math.max(0, Math.floor((Date.now() - updatedAt) / 1000));
    const { now, minutes, seconds: few } = said.dataset;
    if (seconds < 5) said.textContent = now;
    else said.textContent = seconds < 60 ? few.replace("{count}", seconds) : minutes.replace("{count}", Math.floor(seconds / 60));
  }

  document.addEventListener("click", (event) => event.target.closest("[data-show-offered]") && showOffered());
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target?.id !== "results") return;
    updatedAt = Date.now();
    offered.clear();
    sayOffered(0);
  });
  document.addEventListener("DOMContentLoaded", sayUpdated);
  setInterval(sayUpdated, 1000);

  /* A form in use stays with its input. It can't be submitted while the new one says why not. */
  function hold(old, fresh) {
    const why = fresh.querySelector("#why-paused")?.closest(".alert");
    const form = old.querySelector("form[method=post]");
    if (!why || !form) return;
    const notice = document.importNode(why, true);
    notice.dataset.notice = "";
    form.prepend(notice);
    for (const control of form.querySelectorAll("[type=submit], input:not([type=hidden])")) {
      if (control.disabled || control.readOnly) continue;
      control.dataset.heldBack = "";
      if (control.type === "submit") control.disabled = true;
      else control.readOnly = true;
    }
  }

  function letGo(old) {
    old.querySelector("[data-notice]")?.remove();
    for (const control of old.querySelectorAll("[data-held-back]")) {
      delete control.dataset.heldBack;
      control.disabled = control.readOnly = false;
    }
  }

  function releaseHeld() {
    for (const [id, fresh] of [...held]) replace(document.getElementById(id), fresh);
  }

  /* Parts with a key are redrawn when the key changes; all others when their markup differs. */
  function isSame(old, fresh) {
    if (fresh.dataset.liveKey !== undefined) return old.dataset.liveKey === fresh.dataset.liveKey;
    const [one, other] = [old, fresh].map((part) => {
      const bare = part.cloneNode(true);
      for (const button of bare.querySelectorAll(".reveal")) button.remove(); // reveal.js adds them
      for (const token of bare.querySelectorAll("[name=csrfmiddlewaretoken]")) token.removeAttribute("value");
      return bare;
    });
    return one.isEqualNode(other);
  }

  /* --- Parts in use --- */
  function isChanged(field) {
    if (field.matches("[type=checkbox], [type=radio]")) return field.checked !== field.defaultChecked;
    if (!field.matches("select")) return field.value !== field.defaultValue;
    const chosen = [...field.options].findIndex((option) => option.defaultSelected);
    return !field.multiple && field.selectedIndex !== Math.max(0, chosen);
  }

  function isInUse(part) {
    if (part.matches(".htmx-request, [data-sent]") || part.querySelector(".htmx-request, [data-sent]")) return true;
    const fields = [...part.querySelectorAll("input:not([type=hidden]), select, textarea")];
    return fields.some((field) => isChanged(field) || (field === document.activeElement && touched.has(field)));
  }

  document.addEventListener("input", (event) => touched.add(event.target));

  function focusIn(part) {
    const active = document.activeElement;
    if (!part.contains(active)) return () => {};
    const focusable = (root) => [...root.querySelectorAll("a[href], button, input, select, textarea, summary")];
    const words = (element) => element.textContent.trim() + (element.name || element.id || element.ariaLabel);
    const wanted = words(active);
    return (fresh) => {
      const same = focusable(fresh).find((element) => words(element) === wanted);
      if (!same) fresh.tabIndex = -1;
      (same || fresh).focus({ preventScroll: true });
    };
  }

  function keepOpen(old, part) {
    const fresh = part.querySelectorAll("details");
    old.querySelectorAll("details").forEach((each, place) => fresh[place] && (fresh[place].open = each.open));
  }

  /* --- Screen reader announcements --- */
  const said = () => [...document.querySelectorAll("[data-live-say]")].map((each) => each.textContent.trim());

  function announce(news) {
    const announcer = query("#announcer");
    if (!announcer) return;
    announcer.textContent = ""; // earlier announcements may no longer be true
    if (news.length) requestAnimationFrame(() => (announcer.textContent = news.join(". ")));
  }

  /* Saved from here, so shown here without waiting for the next poll. */
  document.addEventListener("saved", async ({ detail: { words } }) => {
    await redraw().catch(() => {}); // the next poll shows it
    announce([words]);
  });

  document.addEventListener("DOMContentLoaded", schedule);
}
