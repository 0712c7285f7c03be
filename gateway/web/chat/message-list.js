/** The messages of a conversation. Only a window of rows is in the document; it moves with the reader. */

import { h, icon } from "./dom.js";
import { describeRow, keyOf, row } from "./rows.js";
import { count } from "./text.js";

/** Rows in the document at most. */
const MAX_ROWS = 180;
/** Rows by which the window moves. */
const STEP_ROWS = 60;
/** Pixels from an edge of the window at which it moves. */
const EDGE_PIXELS = 800;
/** Pixels from the end that count as the end. */
const END_PIXELS = 48;
/** Older messages are loaded when fewer than this many are above the window. */
const READ_AHEAD_MESSAGES = 40;

export class MessageList extends HTMLElement {
  #store;
  #actions;
  #conversation = null;
  #rows = new Map(); // key -> {element, signature}
  #start = 0;
  #end = 0;
  #first = null; // key of the first message, to notice that messages before it came or went
  #following = true;
  #measured = 0;

  /** `actions`: as for `row`. */
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

  /** True if the newest message is visible. */
  get atEnd() {
    return this.#following;
  }

  show(conversation) {
    this.#conversation = conversation;
    this.#rows.clear();
    this.list.replaceChildren();
    this.scroller.setAttribute("aria-label", `Messages in ${conversation.label}`);
    this.list.setAttribute("aria-label", `Messages in ${conversation.label}`);
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

  /** Show older messages that were added before the first. */
  prepended(added) {
    // A step of them is put into the document at once. At the very top the old first row can only
    // stay in place if there is something above it to scroll by, as it loses the day above it.
    this.#start = Math.max(0, this.#start + added - STEP_ROWS);
    this.#end = Math.min(this.#end + added, this.#start + MAX_ROWS);
    this.#first = this.#items[0] && keyOf(this.#items[0]);
    this.render();
    this.#scrolled();
  }

  toEnd() {
    this.#following = true;
    this.#toWindowEnd();
    this.render();
    this.#markSeen();
  }

  /** Update the rows. What the reader looks at stays in place. */
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
    if (this.#following) this.#markSeen();
    this.#readAhead();
  }

  get #items() {
    return this.#conversation.items;
  }

  #toWindowEnd() {
    this.#end = this.#items.length;
    this.#start = Math.max(0, this.#end - STEP_ROWS);
  }

  /** Keep the window on the same messages when the number of messages changed. */
  #keepWindow() {
    const items = this.#items;
    const first = items[0] && keyOf(items[0]);
    if (this.#first !== null && this.#first !== first) {
      // The first messages were deleted or trimmed. Find the window again by the rows it has.
      const at = items.findIndex((item) => this.#rows.has(keyOf(item)));
      const size = this.#end - this.#start;
      if (at >= 0) [this.#start, this.#end] = [at, at + size];
      else this.#toWindowEnd();
    }
    this.#first = first ?? null;
    if (this.#following || this.#end > items.length) this.#end = items.length;
    if (this.#end - this.#start > MAX_ROWS && this.#following) this.#start = this.#end - MAX_ROWS;
    this.#start = Math.max(0, Math.min(this.#start, this.#end - STEP_ROWS));
  }

  /** The position of a row's text, not of the row: a day or a name above it may come and go. */
  #topOf(element) {
    const text = element.querySelector(".content");
    return text.getBoundingClientRect().top - this.scroller.getBoundingClientRect().top;
  }

  /** The first visible row that stays in the document, and its position. */
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
    const { loaded, complete, loading, partial, title, isRoom, isNotes, gate } = this.#conversation;
    let text = "";
    if (gate === null && !loaded) text = "Loading messages";
    else if (this.#start === 0 && complete) {
      text = isNotes ? "This is the beginning of your notes."
        : `This is the beginning of ${isRoom ? "" : "your chat with "}${title}.`;
    } else if (partial) text = "Older messages cannot be loaded right now.";
    else if (loading && this.#start === 0) text = "Loading older messages";
    if (this.top.textContent !== text) this.top.textContent = text;
  }

  #reconcile() {
    const items = this.#items;
    const wanted = new Map();
    for (let n = this.#start; n < this.#end; n++) {
      const description = describeRow(this.#conversation, n, items);
      wanted.set(description.key, description);
    }
    for (const [key, { element }] of this.#rows) {
      if (!wanted.has(key)) {
        element.remove();
        this.#rows.delete(key);
      }
    }
    let next = this.list.firstElementChild;
    for (const [key, description] of wanted) {
      const known = this.#rows.get(key);
      const current = known?.signature === description.signature ? known : this.#made(key, description);
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

  #made(key, description) {
    const made = { element: row(description, this.#actions), signature: description.signature };
    this.#rows.set(key, made);
    return made;
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    const below = scrollHeight - scrollTop - clientHeight;
    const length = this.#items.length;
    this.#following = this.#end === length && below < END_PIXELS;
    if (scrollTop < EDGE_PIXELS && this.#start > 0) {
      this.#start = Math.max(0, this.#start - STEP_ROWS);
      this.#end = Math.min(this.#end, this.#start + MAX_ROWS);
      this.render();
    } else if (below < EDGE_PIXELS && this.#end < length) {
      this.#end = Math.min(length, this.#end + STEP_ROWS);
      this.#start = Math.max(this.#start, this.#end - MAX_ROWS);
      this.render();
    } else {
      this.#button();
      if (this.#following) this.#markSeen();
      this.#readAhead();
    }
  }

  /** Stay at the end when the list becomes taller or shorter. */
  #resized() {
    if (this.#conversation && this.#following && this.scroller.clientHeight !== this.#measured) {
      this.scroller.scrollTop = this.scroller.scrollHeight;
    }
    this.#measured = this.scroller.clientHeight;
  }

  #readAhead() {
    const near = this.scroller.scrollTop < EDGE_PIXELS * 2;
    if (this.#start < READ_AHEAD_MESSAGES && near && this.#conversation.loaded) this.#store.loadOlder(this.#conversation);
  }

  #button() {
    const { unread } = this.#conversation;
    this.latest.hidden = this.#following;
    this.latest.lastChild.textContent = unread ? count(unread, "new message") : "Latest";
  }

  #markSeen() {
    if (document.visibilityState === "visible" && document.hasFocus()) this.#store.markSeen(this.#conversation);
  }

  /** Mark the messages as seen if the reader is at the end and the page is visible again. */
  pageShown() {
    if (this.#conversation && this.#following) this.#markSeen();
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
