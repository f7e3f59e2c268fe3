/* Returns what is wrong with the layout of the page as it stands, a line for each. */
() => {
  const INTERACTIVE = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
  const SLACK = 2; // pixels
  const LEADING = 4; // lines of text may share this much of their height
  const LEGIBLE = 32; // pixels that an ellipsis must leave of a text
  const found = new Set();
  const styles = new WeakMap();
  const layers = new WeakMap();
  const style = (element) => styles.get(element) ?? (styles.set(element, getComputedStyle(element)), styles.get(element));
  const ancestors = function* (element) {
    for (let each = element; each; each = each.parentElement) yield each;
  };

  function name(element) {
    const path = [...ancestors(element)].slice(0, 3).reverse().map((each) => {
      const classes = typeof each.className === "string" && each.className ? `.${each.className.trim().split(/\s+/).join(".")}` : "";
      return each.localName + (each.id ? `#${each.id}` : classes);
    });
    const text = element.textContent.trim().replace(/\s+/g, " ").slice(0, 30) || element.getAttribute("aria-label") || "";
    return `${path.join(" > ")}${text ? ` “${text}”` : ""}`;
  }

  const tell = (kind, element) => found.add(`${kind}: ${name(element)}`);

  /* Not what only screen readers are told. */
  const isDrawn = (element) =>
    element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) &&
    ![...ancestors(element)].some((each) => style(each).clipPath === "inset(50%)" || each.clientWidth === 1);

  /* What floats over the rest is compared only with what floats with it. */
  function layer(element) {
    if (!layers.has(element)) {
      const { position, zIndex } = style(element);
      const floats = ["fixed", "sticky"].includes(position) || (position === "absolute" && zIndex !== "auto");
      const above = element.parentElement;
      layers.set(element, floats || !above || element.matches("dialog, [popover]") ? element : layer(above));
    }
    return layers.get(element);
  }

  /* Something placed on its parent on purpose, such as a button in a search box, or parts of a drawing. */
  const isPlacedOn = (element, other) =>
    element.closest("svg")?.contains(other) ||
    [...ancestors(element)].some((each) => style(each).position === "absolute" && each.offsetParent?.contains(other));

  /* The part of a box that no ancestor clips or scrolls away, and the ancestor that cuts it off for good. */
  function shown(rect, element) {
    const box = { left: rect.left, top: rect.top, right: rect.right, bottom: rect.bottom };
    let cutBy = null;
    for (const each of ancestors(element)) {
      if (each === document.body || each === document.documentElement) break;
      const { overflowX, overflowY, position, textOverflow } = style(each);
      const edge = each.getBoundingClientRect();
      if (overflowX !== "visible") {
        const cut = box.right > edge.right + SLACK || box.left < edge.left - SLACK;
        box.left = Math.max(box.left, edge.left);
        box.right = Math.min(box.right, edge.right);
        const isLegible = textOverflow === "ellipsis" && box.right - box.left >= Math.min(LEGIBLE, rect.width);
        if (cut && !isLegible && ["hidden", "clip"].includes(overflowX)) cutBy ??= each;
      }
      if (overflowY !== "visible") {
        const cut = box.bottom > edge.bottom + LEADING || box.top < edge.top - LEADING;
        box.top = Math.max(box.top, edge.top);
        box.bottom = Math.min(box.bottom, edge.bottom);
        if (cut && ["hidden", "clip"].includes(overflowY)) cutBy ??= each;
      }
      if (position === "fixed") break;
    }
    return { ...box, cutBy, element };
  }

  const isEmpty = (box) => box.right - box.left < 1 || box.bottom - box.top < 1;

  function textBoxes() {
    const boxes = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const range = document.createRange();
    while (walker.nextNode()) {
      const text = walker.currentNode;
      const element = text.parentElement;
      if (!text.data.trim() || element.closest("script, style, template, noscript, option, textarea") || !isDrawn(element)) continue;
      range.selectNodeContents(text);
      for (const rect of range.getClientRects()) {
        const box = shown(rect, element);
        if (box.cutBy) tell("clipped text", element);
        const button = element.closest("button, .button");
        const edge = button?.getBoundingClientRect();
        if (edge && (rect.left < edge.left - SLACK || rect.right > edge.right + SLACK)) tell("text wider than its button", element);
        if (!isEmpty(box)) boxes.push(box);
      }
    }
    return boxes;
  }

  function controlBoxes() {
    const boxes = [];
    for (const element of document.querySelectorAll(INTERACTIVE)) {
      if (!isDrawn(element)) continue;
      for (const rect of element.getClientRects()) {
        const box = shown(rect, element);
        if (box.cutBy) tell("clipped control", element);
        if (!isEmpty(box)) boxes.push(box);
      }
    }
    return boxes;
  }

  function overlaps(boxes) {
    boxes.sort((one, other) => one.top - other.top);
    boxes.forEach((one, place) => {
      for (let next = place + 1; next < boxes.length && boxes[next].top < one.bottom - LEADING; next++) {
        const other = boxes[next];
        const width = Math.min(one.right, other.right) - Math.max(one.left, other.left);
        const height = Math.min(one.bottom, other.bottom) - other.top;
        if (width <= SLACK || height <= LEADING) continue;
        const [a, b] = [one.element, other.element];
        if (a.contains(b) || b.contains(a) || layer(a) !== layer(b) || isPlacedOn(a, b) || isPlacedOn(b, a)) continue;
        tell(`overlaps ${name(b)}`, a);
      }
    });
  }

  function wide() {
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth > clientWidth) {
      const out = [...document.body.querySelectorAll("*")].filter(
        (each) => isDrawn(each) && shown(each.getBoundingClientRect(), each).right > clientWidth + 1,
      );
      const deepest = out.filter((each) => !out.some((other) => other !== each && each.contains(other)));
      for (const each of deepest.length ? deepest.slice(0, 3) : [document.body]) tell(`${scrollWidth - clientWidth} px too wide`, each);
    }
    for (const box of document.querySelectorAll(".panel, .alert, .verdict")) {
      if (box.scrollWidth > box.clientWidth) tell(`${box.scrollWidth - box.clientWidth} px wider than its box`, box);
    }
  }

  for (const image of document.images) {
    if (isDrawn(image) && image.complete && !image.naturalWidth) tell("missing image", image);
  }
  wide();
  overlaps([...textBoxes(), ...controlBoxes()]);
  return [...found];
};
