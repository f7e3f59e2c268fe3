/* Adds a button to each password field that shows the input, from the page's #reveal template. */
"use strict";

{
  const shown = "[data-revealed]";

  function addButtons() {
    const template = document.querySelector("#reveal");
    for (const input of document.querySelectorAll("input[type=password]")) {
      if (!template || input.nextElementSibling?.matches(".reveal")) continue;
      const button = document.importNode(template.content.firstElementChild, true);
      const name = input.dataset.shows || template.dataset.shows;
      for (const word of ["show", "hide"]) button.dataset[word] = button.dataset[word].replace("{name}", name);
      button.title = button.lastElementChild.textContent = button.dataset.show;
      if (input.id) button.setAttribute("aria-controls", input.id);
      input.after(button);
    }
  }

  function set(input, isShown) {
    input.type = isShown ? "text" : "password";
    input.toggleAttribute("data-revealed", isShown);
    const button = input.nextElementSibling;
    if (!button?.matches(".reveal")) return;
    button.setAttribute("aria-pressed", isShown);
    button.title = isShown ? button.dataset.hide : button.dataset.show;
  }

  function hideIn(part) {
    for (const input of part.querySelectorAll(shown)) set(input, false);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.(".reveal");
    const input = button?.previousElementSibling;
    if (input) set(input, !input.matches(shown));
  });

  /* Hide the input again before submitting, and whenever the page is hidden. */
  document.addEventListener("submit", (event) => hideIn(event.target), true);
  document.addEventListener("visibilitychange", () => document.hidden && hideIn(document));
  addEventListener("pagehide", () => hideIn(document));

  for (const drawn of ["DOMContentLoaded", "htmx:load", "live:drawn"]) document.addEventListener(drawn, addButtons);
}
