/** Tells of messages that one does not see: in the title, and by the browser where one may. */

const MOST_TEXT = 140;
const ICON = new URL("icon.svg", import.meta.url).href;

export class Notifier {
  onchange = () => {};
  #store;
  #app;

  constructor(app, store) {
    this.#app = app;
    this.#store = store;
    store.on("news", (news) => this.#news(news));
    store.on("list", () => this.title());
    store.on("open", () => this.title());
  }

  /** Whether the browser notifies. */
  get on() {
    return this.#store.memory.notify && globalThis.Notification?.permission === "granted";
  }

  async toggle() {
    const asked = !this.on;
    if (asked && globalThis.Notification?.permission === "default") await Notification.requestPermission();
    this.#store.memory.notify = asked;
    if (asked && !this.on) this.#app.say("This browser does not allow notifications for this page.");
    this.onchange(this.on);
  }

  title() {
    const { unread, current } = this.#store;
    const place = current ? `${current[0] === "#" ? "#" : ""}${current.slice(1)} · ` : "";
    const title = `${unread ? `(${unread}) ` : ""}${place}Parley`;
    if (document.title !== title) document.title = title;
  }

  #news({ conversation, message }) {
    const away = document.visibilityState !== "visible" || !document.hasFocus();
    if (conversation.isMine(message) || !(away || conversation.name !== this.#store.current)) return;
    if (!this.on) return;
    const title = conversation.isRoom ? `${message.sender} in ${conversation.title}` : message.sender;
    const told = new Notification(title, { body: message.content.slice(0, MOST_TEXT), tag: conversation.name, icon: ICON });
    told.onclick = () => {
      window.focus();
      this.#app.go(conversation.name);
      told.close();
    };
  }
}
