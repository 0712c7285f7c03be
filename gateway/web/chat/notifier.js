/** Unread messages in the title, and browser notifications where the user allowed them. */

const MAX_TEXT_CHARACTERS = 140;
const ICON = new URL("icon.svg", import.meta.url).href;

export class Notifier {
  onchange = () => {};
  #store;
  #app;

  constructor(app, store) {
    this.#app = app;
    this.#store = store;
    store.on("news", (news) => this.#notify(news));
    store.on("list", () => this.title());
    store.on("open", () => this.title());
  }

  /** True if notifications are on. */
  get on() {
    return this.#store.memory.notify && globalThis.Notification?.permission === "granted";
  }

  async toggle() {
    const wanted = !this.on;
    if (wanted && globalThis.Notification?.permission === "default") await Notification.requestPermission();
    this.#store.memory.notify = wanted;
    if (wanted && !this.on) this.#app.showToast("This browser does not allow notifications for this page.");
    this.onchange(this.on);
  }

  title() {
    const { unread, current, conversations } = this.#store;
    const place = current ? `${current[0] === "#" ? "#" : ""}${conversations.get(current)?.label ?? current.slice(1)} · ` : "";
    const title = `${unread ? `(${unread}) ` : ""}${place}Parley`;
    if (document.title !== title) document.title = title;
  }

  #notify({ conversation, message }) {
    const away = document.visibilityState !== "visible" || !document.hasFocus();
    if (conversation.isMine(message) || !(away || conversation.name !== this.#store.current)) return;
    if (!this.on) return;
    const title = conversation.isRoom ? `${message.sender} in ${conversation.title}` : message.sender;
    const notification = new Notification(title, { body: message.content.slice(0, MAX_TEXT_CHARACTERS), tag: conversation.name, icon: ICON });
    notification.onclick = () => {
      window.focus();
      this.#app.go(conversation.name);
      notification.close();
    };
  }
}
