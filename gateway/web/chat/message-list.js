/** The messages of a conversation: a window of rows that moves with the reader. */

import { h, icon } from "./dom.js";
import { keyOf, looks, row } from "./rows.js";
import { count } from "./text.js";

/** Rows in the document at the most; by how many the window moves; pixels from an edge at which. */
const MAX_ROWS = 180, STEP = 60, NEAR = 800;
/** Pixels from the end that count as the end. */
const AT_END = 48;
/** Messages left above the window when older ones are read. */
const READ_AHEAD = 40;

export class MessageList extends HTMLElement {
  #store;
  #actions;
  #conversation = null;
  #rows = new Map(); // key -> {element, signature}
  #start = 0;
  #end = 0;
  #first = null; // key of the message that was the first, to see how many came before it
  #following = true;
  #measured = 0;

  /** Give it what it shows; `actions` as of `row`. */
  init(store, actions) {
    this.#store = store;
    this.#actions = actions;
    this.top = h("p.edge", { "aria-live": "off" });
    this.list = h("ol.rows", {});
    this.scroller = h("div.scroller", {
      tabindex: "0", role: "region", onscroll: () => this.#scrolled(), onkeydown: (event) => this.#key(event),
    }, this.top, this.list);
    this.latest = h("button.latest", { type: "button", hidden: true, onclick: () => this.toEnd() },
      icon("down"), h("span", {}, "Latest"));
    this.append(this.scroller, this.latest);
    new ResizeObserver(() => this.#resized()).observe(this.scroller);
    return this;
  }

  /** Whether the newest message is in sight. */
  get atEnd() {
    return this.#following;
  }

  show(conversation) {
    this.#conversation = conversation;
    this.#rows.clear();
    this.list.replaceChildren();
    this.scroller.setAttribute("aria-label", `Messages in ${conversation.title}`);
    this.list.setAttribute("aria-label", `Messages in ${conversation.title}`);
    this.#following = true;
    this.#first = null;
    this.#toWindowEnd();
    this.render();
    const unread = this.list.querySelector(".new");
    if (unread) {
      unread.scrollIntoView({ block: "start" });
      this.scroller.scrollTop -= 72;
      this.#scrolled();
    }
  }

  /** Older messages came in front. */
  prepended(added) {
    // Some are shown at once: at the very top there is nowhere to scroll to that would keep in its
    // place what was the first row, which is less high without its day.
    this.#start = Math.max(0, this.#start + added - STEP);
    this.#end = Math.min(this.#end + added, this.#start + MAX_ROWS);
    this.#first = this.#items[0] && keyOf(this.#items[0]);
    this.render();
    this.#scrolled();
  }

  toEnd() {
    this.#following = true;
    this.#toWindowEnd();
    this.render();
    this.#seen();
  }

  /** Bring the rows up to date; what the reader looks at stays where it is. */
  render() {
    if (!this.#conversation) return;
    this.#keepWindow();
    const anchor = this.#following ? null : this.#anchor();
    this.#edge();
    this.#reconcile();
    if (this.#following) this.scroller.scrollTop = this.scroller.scrollHeight;
    else if (anchor) this.scroller.scrollTop += this.#topOf(this.#rows.get(anchor.key).element) - anchor.top;
    this.#measured = this.scroller.clientHeight;
    this.#button();
    if (this.#following) this.#seen();
    this.#readAhead();
  }

  get #items() {
    return this.#conversation.items;
  }

  #toWindowEnd() {
    this.#end = this.#items.length;
    this.#start = Math.max(0, this.#end - STEP);
  }

  /** Keep the window on the same messages when the number of messages changed. */
  #keepWindow() {
    const items = this.#items;
    const first = items[0] && keyOf(items[0]);
    if (this.#first !== null && this.#first !== first) {
      // The first ones are gone: deleted, or let go. Find the window again by what it shows.
      const at = items.findIndex((item) => this.#rows.has(keyOf(item)));
      const size = this.#end - this.#start;
      if (at >= 0) [this.#start, this.#end] = [at, at + size];
      else this.#toWindowEnd();
    }
    this.#first = first ?? null;
    if (this.#following || this.#end > items.length) this.#end = items.length;
    if (this.#end - this.#start > MAX_ROWS && this.#following) this.#start = this.#end - MOST_ROWS;
    this.#start = Math.max(0, Math.min(this.#start, this.#end - STEP));
  }

  /** Where the words of a row are; a day and a name above them may come and go. */
  #topOf(element) {
    const words = element.querySelector(".content");
    return words.getBoundingClientRect().top - this.scroller.getBoundingClientRect().top;
  }

  /** The first row in sight that stays, and where it is. */
  #anchor() {
    const kept = new Set(this.#items.slice(this.#start, this.#end).map(keyOf));
    for (const element of this.list.children) {
      const { key } = element.dataset;
      if (element.offsetTop + element.offsetHeight <= this.scroller.scrollTop || !kept.has(key)) continue;
      return { key, top: this.#topOf(element) };
    }
    return null;
  }

  #edge() {
    const { loaded, complete, loading, partial, title, isRoom, gate } = this.#conversation;
    let text = "";
    if (gate === null && !loaded) text = "Reading messages";
    else if (this.#start === 0 && complete) {
      text = isRoom ? `This is the beginning of ${title}.` : `This is the beginning of your chat with ${title}.`;
    } else if (partial) text = "Older messages cannot be read now.";
    else if (loading && this.#start === 0) text = "Reading older messages";
    if (this.top.textContent !== text) this.top.textContent = text;
  }

  #reconcile() {
    const items = this.#items;
    const wanted = new Map();
    for (let n = this.#start; n < this.#end; n++) {
      const look = looks(this.#conversation, n, items);
      wanted.set(look.key, look);
    }
    for (const [key, { element }] of this.#rows) {
      if (!wanted.has(key)) {
        element.remove();
        this.#rows.delete(key);
      }
    }
    let next = this.list.firstElementChild;
    for (const [key, look] of wanted) {
      const known = this.#rows.get(key);
      const current = known?.signature === look.signature ? known : this.#made(key, look);
      if (known && known !== current) {
        const focused = known.element === document.activeElement;
        if (next === known.element) next = current.element;
        known.element.replaceWith(current.element);
        if (focused) current.element.focus({ preventScroll: true });
      }
      if (current.element === next) next = next.nextElementSibling;
      else this.list.insertBefore(current.element, next);
    }
  }

  #made(key, look) {
    const made = { element: row(look, this.#actions), signature: look.signature };
    this.#rows.set(key, made);
    return made;
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    const below = scrollHeight - scrollTop - clientHeight;
    const length = this.#items.length;
    this.#following = this.#end === length && below < AT_END;
    if (scrollTop < NEAR && this.#start > 0) {
      this.#start = Math.max(0, this.#start - STEP);
      this.#end = Math.min(this.#end, this.#start + MAX_ROWS);
      this.render();
    } else if (below < NEAR && this.#end < length) {
      this.#end = Math.min(length, this.#end + STEP);
      this.#start = Math.max(this.#start, this.#end - MAX_ROWS);
      this.render();
    } else {
      this.#button();
      if (this.#following) this.#seen();
      this.#readAhead();
    }
  }

  /** The list became taller or shorter: whoever was at the end still is. */
  #resized() {
    if (this.#conversation && this.#following && this.scroller.clientHeight !== this.#measured) {
      this.scroller.scrollTop = this.scroller.scrollHeight;
    }
    this.#measured = this.scroller.clientHeight;
  }

  #readAhead() {
    const near = this.scroller.scrollTop < NEAR * 2;
    if (this.#start < READ_AHEAD && near && this.#conversation.loaded) this.#store.loadOlder(this.#conversation);
  }

  #button() {
    const { unread } = this.#conversation;
    this.latest.hidden = this.#following;
    this.latest.lastChild.textContent = unread ? count(unread, "new message") : "Latest";
  }

  #seen() {
    if (document.visibilityState === "visible" && document.hasFocus()) this.#store.see(this.#conversation);
  }

  /** Somebody looks at the page again. */
  looked() {
    if (this.#conversation && this.#following) this.#seen();
  }

  #key(event) {
    const focused = event.target.closest?.(".row");
    const rows = this.list.children;
    const at = focused ? [...rows].indexOf(focused) : -1;
    const to = {
      ArrowUp: focused ? rows[at - 1] : rows[rows.length - 1], ArrowDown: rows[at + 1],
    }[event.key];
    if (event.key === "End" && !event.shiftKey) this.toEnd();
    else if (event.key === "Delete" && focused) focused.querySelector(".actions button")?.click();
    else if (to && (focused || event.key === "ArrowUp")) to.focus();
    else if (!focused || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
    event.preventDefault();
  }
}

customElements.define("message-list", MessageList);
