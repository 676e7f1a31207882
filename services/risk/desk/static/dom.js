/** An element with attributes, listeners (on…) and children; text is text, never markup. */
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export const byId = (id) => document.getElementById(id);

/** Writes text only where it differs, so that nothing flickers and selections stay. */
export function write(id, text, tone) {
  const element = byId(id);
  if (element.textContent !== text) element.textContent = text;
  if (tone !== undefined && element.dataset.tone !== tone) element.dataset.tone = tone;
}

export function table(body, rows, columns, nothing) {
  if (!rows.length) {
    body.replaceChildren(el("tr", {}, el("td", { colspan: columns, class: "empty" }, nothing)));
  } else {
    body.replaceChildren(...rows);
  }
}
