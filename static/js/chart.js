/* Shows a day's figures of the chart under the pointer, and for the arrow keys. Reads them from the chart's table. */
"use strict";

{
  const MOVES = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -7, PageUp: 7, Home: -Infinity, End: Infinity };
  const GAP = 8; // pixels between the line and its figures
  const chartOf = (target) => target.closest?.("[data-chart]");

  function show(chart, day) {
    const rows = document.querySelectorAll(`${chart.dataset.chart} > tr`);
    const last = rows.length - 1;
    const shown = Math.max(0, Math.min(last, day));
    const [date, ...cells] = [...rows[last - shown].cells].map((cell) => [cell.dataset.label, cell.textContent]);
    const tip = chart.querySelector(".chart__tip");
    const head = document.createElement("strong");
    head.textContent = `${date[1]} · ${tip.dataset.total.replace("{total}", cells.pop()[1])}`;
    const words = cells.map((cell) => cell.join(" ")).join(" · ");
    tip.replaceChildren(head, words);
    const slider = chart.querySelector(".chart__day");
    slider.setAttribute("aria-valuenow", shown);
    slider.setAttribute("aria-valuetext", `${head.textContent}: ${words}`);
    slider.style.insetInlineStart = `${(100 * shown) / last}%`;
    tip.hidden = false;
    const [at, width] = [slider.offsetLeft, tip.offsetWidth];
    const beside = shown > last / 2 ? at - width - GAP : at + GAP;
    tip.style.insetInlineStart = `${Math.max(0, Math.min(beside, tip.parentElement.offsetWidth - width))}px`;
  }

  function hide(chart) {
    chart.querySelector(".chart__tip").hidden = true;
  }

  document.addEventListener("pointermove", (event) => {
    const plot = event.target.closest(".chart__plot");
    for (const tip of document.querySelectorAll(".chart__tip")) {
      const isFocused = chartOf(tip).contains(document.activeElement);
      if (!plot?.contains(tip) && !isFocused) tip.hidden = true;
    }
    if (!plot) return;
    const box = plot.getBoundingClientRect();
    const last = Number(plot.querySelector(".chart__day").getAttribute("aria-valuemax"));
    show(chartOf(plot), Math.round(((event.clientX - box.left) / box.width) * last));
  });

  document.addEventListener("keydown", (event) => {
    if (!event.target.matches(".chart__day")) return;
    if (event.key === "Escape") return hide(chartOf(event.target));
    if (!(event.key in MOVES)) return;
    event.preventDefault();
    show(chartOf(event.target), Number(event.target.getAttribute("aria-valuenow")) + MOVES[event.key]);
  });

  document.addEventListener("focusin", (event) => {
    if (event.target.matches(".chart__day")) show(chartOf(event.target), Number(event.target.getAttribute("aria-valuenow")));
  });
  document.addEventListener("focusout", (event) => {
    if (event.target.matches(".chart__day")) hide(chartOf(event.target));
  });

  for (const slider of document.querySelectorAll(".chart__day")) slider.hidden = false;
}
