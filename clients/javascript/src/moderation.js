/** The requests of owners and moderators of rooms. */

import { MAX_PAGE_ITEMS } from "./constants.js";

/** Base class of the client: it needs its `request` and `keepPassword`. */
export class ModerationRequests {
  kick(name, user) {
    return this.request("kick", { room: name, user }); // repeated, it might put out a user who came back
  }

  ban(name, user) {
    return this.request("ban", { room: name, user }, { repeat: true });
  }

  unban(name, user) {
    return this.request("unban", { room: name, user }, { repeat: true });
  }

  setModerator(name, user, moderator = true) {
    return this.request("setModerator", { room: name, user, moderator }, { repeat: true });
  }

  banned(name, page) {
    return this.#standings(name, "banned", page);
  }

  moderators(name, page) {
    return this.#standings(name, "moderator", page);
  }

  async moderationLog(name, { before, limit = MAX_PAGE_ITEMS } = {}) {
    const asked = { room: name, limit, ...(before !== undefined && before !== null && { before }) };
    return this.request("getModerationLog", asked, { repeat: true });
  }

  async setPassword(name, password = "") {
    await this.request("setPassword", { room: name, password }, { repeat: true });
    this.keepPassword(name, password);
  }

  async #standings(name, standing, { after, limit = MAX_PAGE_ITEMS } = {}) {
    const asked = { room: name, standing, limit, ...(after !== undefined && { after }) };
    const { users, more } = await this.request("getStandings", asked, { repeat: true });
    return { users: users.map(String), more };
  }
}
