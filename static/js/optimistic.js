/* A link's notes and assignee appear at once. Then the response confirms them, or puts them back where they were typed.
   Only for what's ours alone: never for what a provider decides. */
"use strict";

{
  const query = (selector) => document.querySelector(selector);
  const pending = new Map(); // what's shown before its response, by request

  const shown = { "note-form": showNote, "assignee-form": showAssignee };

  function showNote(form) {
    const box = form.elements.text;
    const typed = box.value;
    if (!typed.trim()) return;
    const entry = query("#note-entry").content.firstElementChild.cloneNode(true);
    entry.querySelector("bdi").textContent = typed;
    query("#timeline .timeline")?.prepend(entry);
    box.value = "";
    box.focus();
    return {
      confirm: () => entry.removeAttribute("data-sent"),
      undo() {
        entry.remove();
        query("#note-form").elements.text.value = [typed, box.value].filter(Boolean).join("\n"); // and what was typed since
      },
    };
  }

  function showAssignee(form) {
    const name = document.createElement("bdi");
    const again = document.createElement("a");
    const place = document.createElement("span");
    name.textContent = form.elements.assignee.selectedOptions[0].text;
    again.textContent = form.querySelector("[type=submit]").textContent;
    again.href = form.action;
    place.append(name, " · ", again);
    form.before(place);
    form.hidden = true;
    again.focus();
    return {
      confirm: () => form.remove(),
      undo() {
        place.remove();
        form.hidden = false;
        if (document.activeElement === document.body) form.elements.assignee.focus();
      },
    };
  }

  document.addEventListener("htmx:beforeRequest", ({ detail: { elt, xhr } }) => {
    const change = shown[elt.id]?.(elt);
    if (!change) return;
    elt.querySelector(".alert")?.remove();
    pending.set(xhr, change);
  });
  document.addEventListener("htmx:afterRequest", ({ detail: { xhr } }) => {
    const change = pending.get(xhr);
    pending.delete(xhr);
    if (xhr.status === 204) change?.confirm();
    else change?.undo();
  });
}
