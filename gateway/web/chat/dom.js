/** Makes elements by code. Texts are set as text, never as markup. */

/**
 * Make an element: `h("button.quiet", {onclick}, "Leave")`.
 *
 * Attributes that begin with `on` are listeners. True sets an attribute without a value; false, null
 * and undefined leave it out. Children are nodes or texts; null, false and undefined are left out.
 */
export function h(what, attributes = {}, ...children) {
  const [tag, ...classes] = what.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.classList.add(...classes);
  set(element, attributes);
  element.append(...present(children));
  return element;
}

/** Set attributes as `h` does. */
export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === undefined || value === false || value === null) element.removeAttribute(name);
    else element.setAttribute(name, value === true ? "" : value);
  }
}

/** The children without null, false and undefined. */
export function present(children) {
  return children.flat().filter((child) => child !== null && child !== false && child !== undefined);
}

const SVG = "http://www.w3.org/2000/svg";

/** Strokes on a 24 by 24 grid. */
const ICONS = {
  back: ["M15 5l-7 7 7 7"],
  bell: ["M6 16V11a6 6 0 0 1 12 0v5l1.500 2h-15z", "M10 20.500a2.200 2.200 0 0 0 4 0"],
  bellOff: ["M8.500 6.200A6 6 0 0 1 18 11v3.500M6 9.500V16l-1.500 2H17", "M10 20.500a2.200 2.200 0 0 0 4 0", "M4 4l16 16"],
  check: ["M5 12.500l4.500 4.500L19 7.500"],
  checks: ["M2.500 12.500L7 17l9.500-9.500", "M12 16.500l.5.500L22 7.500"],
  clock: ["M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16z", "M12 8v4.500l2.500 2"],
  close: ["M6 6l12 12M18 6L6 18"],
  compose: ["M12 5.500H6.500A1.500 1.500 0 0 0 5 7v10.500A1.500 1.500 0 0 0 6.500 19H17a1.500 1.500 0 0 0 1.500-1.500V12", "M10 14l.5-3 7.300-7.300a1.400 1.400 0 0 1 2 0l.5.5a1.400 1.400 0 0 1 0 2L13 13.500z"],
  down: ["M12 5v14M6 13l6 6 6-6"],
  exit: ["M10 5H6.500A1.500 1.500 0 0 0 5 6.500v11A1.500 1.500 0 0 0 6.500 19H10", "M15 8l4 4-4 4M19 12h-9"],
  hash: ["M9.500 4.500l-2 15M16.500 4.500l-2 15M4.500 9h15.500M4 15h15.500"],
  lock: ["M6.500 11h11A1.500 1.500 0 0 1 19 12.500v6a1.500 1.500 0 0 1-1.500 1.500h-11A1.500 1.500 0 0 1 5 18.500v-6A1.500 1.500 0 0 1 6.500 11z", "M8 11V8a4 4 0 0 1 8 0v3"],
  more: ["M12 5.500v.01M12 12v.01M12 18.500v.01"],
  people: ["M9 5.500a3 3 0 1 0 0 6 3 3 0 0 0 0-6z", "M3.500 19v-1a4 4 0 0 1 4-4h3a4 4 0 0 1 4 4v1", "M15.500 6a3 3 0 0 1 0 5.200M17.500 14.300a4 4 0 0 1 3 3.900v.800"],
  plus: ["M12 5v14M5 12h14"],
  search: ["M10.500 5a5.500 5.500 0 1 0 0 11 5.500 5.500 0 0 0 0-11z", "M15 15l4.500 4.500"],
  send: ["M4.500 12L20 4.500 15.500 20l-3.500-6.500z", "M12 13.500l8-9"],
  smile: ["M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16z", "M8.500 14a4 4 0 0 0 7 0", "M9.300 9.800v.01M14.700 9.800v.01"],
  trash: ["M5 7h14M10 7V5h4v2M7 7l.8 12h8.400L17 7", "M10.500 10.500v5M13.500 10.500v5"],
  warn: ["M12 4.500l8.500 15h-17z", "M12 10v4.500M12 17v.01"],
};

/** An icon, hidden from screen readers. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("icon", `icon-${name}`);
  for (const strokes of ICONS[name]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", strokes);
    svg.append(path);
  }
  return svg;
}

/** A button with an icon, and a label for screen readers. */
export function iconButton(name, label, onclick, attributes = {}) {
  return h("button.icon-button", { type: "button", "aria-label": label, title: label, onclick, ...attributes }, icon(name));
}

const HUES = 6;

/** The first letter of a name, on a colour that depends on the name. */
export function avatar(name, online) {
  const [letter] = new Intl.Segmenter().segment(name.trim().toLocaleUpperCase());
  let hash = 7;
  for (const char of name) hash = (hash * 31 + char.codePointAt(0)) >>> 0;
  const presence = online === undefined ? undefined : online ? "online" : "offline";
  return h("span.avatar", { "aria-hidden": "true", "data-hue": hash % HUES, "data-presence": presence }, letter?.segment ?? "?");
}
