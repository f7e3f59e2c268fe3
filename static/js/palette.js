/* The palette and single-key shortcuts. app.js loads this file when they're first used.

   What is typed goes to the server in a POST and nowhere else: not into a URL, the history or the browser's storage. */
const WAIT_MILLISECONDS = 60; // after a key, for the next one

const query = (selector) => document.querySelector(selector);
const palette = query("#palette");
const input = palette.querySelector("[role=combobox]");
const found = palette.querySelector("[data-found]");

let shownFor = null; // the text whose results are shown
let asked = null; // the request for the present text
let timer = 0;

/* --- Results --- */
async function ask() {
  clearTimeout(timer);
  const text = input.value;
  if (text === shownFor || asked?.text === text) return;
  asked?.abort.abort();
  const request = (asked = { text, abort: new AbortController() });
  try {
    const response = await fetch(input.form.action, {
      method: "POST",
      body: new URLSearchParams(new FormData(input.form)),
      headers: { "HX-Request": "true", "HX-Current-URL": location.href },
      signal: request.abort.signal,
    });
    if (response.status === 401) return location.assign(response.headers.get("HX-Redirect"));
    const results = response.ok ? await response.text() : "";
    if (asked === request && input.value === text) show(text, results);
  } catch {
    if (asked === request) show(null, "");
  } finally {
    if (asked === request) asked = null;
  }
}

function show(text, results) {
  if (results) found.innerHTML = results;
  else found.replaceChildren(query("#unreachable").content.cloneNode(true));
  shownFor = text;
  found.ariaBusy = "false";
  const list = found.querySelector("[role=listbox]");
  input.setAttribute("aria-expanded", Boolean(list));
  if (list) input.setAttribute("aria-controls", list.id);
  else input.removeAttribute("aria-controls");
  const said = found.querySelector(".palette__nothing")?.textContent || found.querySelector("[data-count]")?.dataset.count;
  palette.querySelector("[role=status]").textContent = said || "";
  select(options()[0]);
}

/* --- The selected result --- */
const options = () => [...found.querySelectorAll("[role=option]")];
const selected = () => found.querySelector("[aria-selected=true]");

function select(option) {
  selected()?.setAttribute("aria-selected", "false");
  if (!option) return input.removeAttribute("aria-activedescendant");
  option.setAttribute("aria-selected", "true");
  option.scrollIntoView({ block: "nearest" });
  input.setAttribute("aria-activedescendant", option.id);
}

function move(steps) {
  const all = options();
  const place = all.indexOf(selected());
  if (all.length) select(all[(place + steps + all.length) % all.length]);
}

function openSelected(event) {
  if (input.value !== shownFor) return ask();
  selected()?.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, ctrlKey: event.ctrlKey, metaKey: event.metaKey }));
}

const keys = {
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  Enter: openSelected,
};

input.addEventListener("keydown", (event) => {
  if (event.isComposing || !keys[event.key]) return;
  event.preventDefault();
  keys[event.key](event);
});

input.addEventListener("input", (event) => {
  found.ariaBusy = String(input.value !== shownFor); // then Enter acts on nothing
  clearTimeout(timer);
  if (event.inputType === "insertFromPaste") ask();
  else timer = setTimeout(ask, WAIT_MILLISECONDS);
});

/* Lines of a pasted text stay apart: the field would join them. */
input.addEventListener("paste", (event) => {
  const text = event.clipboardData.getData("text");
  if (!/\s{2}|[\n\r\t]/.test(text)) return;
  event.preventDefault();
  input.setRangeText(text.replace(/\s+/g, " ").trim(), input.selectionStart, input.selectionEnd, "end");
  input.dispatchEvent(new InputEvent("input", { inputType: "insertFromPaste" }));
});

found.addEventListener("pointermove", (event) => {
  const option = event.target.closest("[role=option]");
  if (option && option !== selected()) select(option);
});

/* --- Opening and closing --- */
function reset() {
  asked?.abort.abort();
  clearTimeout(timer);
  input.value = "";
  shownFor = asked = null;
  found.replaceChildren();
  input.setAttribute("aria-expanded", "false");
  for (const name of ["aria-controls", "aria-activedescendant"]) input.removeAttribute(name);
}

palette.addEventListener("close", reset);
addEventListener("pagehide", () => palette.close());

for (const dialog of document.querySelectorAll("dialog.palette")) {
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-close], [role=option]")) dialog.close();
  });
}

function find() {
  input.focus();
  if (input.value === shownFor) input.select();
  ask();
}

/* --- Lists and the page of a link --- */
function toRow(steps) {
  const rows = [...document.querySelectorAll("main table tbody tr")].filter((row) => row.querySelector(".table__main"));
  const place = rows.indexOf(document.activeElement.closest("tr"));
  const row = rows[place < 0 ? (steps > 0 ? 0 : rows.length - 1) : place + steps];
  row?.querySelector(".table__main").focus();
}

const onLink = (selector) => (/^\/links\/[0-9a-f-]{36}\/$/.test(location.pathname) ? query(`main ${selector}`) : null);

const shortcuts = {
  "/": find,
  "?": () => query("#shortcuts").showModal(),
  j: () => toRow(1),
  k: () => toRow(-1),
  e: () => onLink("a[href$='/code/']")?.click(),
  r: () => onLink("form[action$='/refresh/'] button:enabled")?.click(),
  n: () => (onLink("form[action$='/notes/'] textarea") || onLink("a[href$='/notes/']"))?.focus(),
};

export function press(key) {
  if (key === "/" || !query("dialog:modal")) shortcuts[key]();
}
