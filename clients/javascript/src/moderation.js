/** The requests of owners and moderators of rooms. */

/** Base class of the client: it needs its `request` and `keepPassword`. */
export class ModerationRequests {
  async kick(name, user) {
    await this.request("kick", { room: name, user }); // repeated, it might put out a user who came back
  }

  async ban(name, user) {
    await this.request("ban", { room: name, user }, { repeat: true });
  }

  async unban(name, user) {
    await this.request("unban", { room: name, user }, { repeat: true });
  }

  async setModerator(name, user, moderator = true) {
    await this.request("setModerator", { room: name, user, moderator }, { repeat: true });
  }

  async setPassword(name, password = "") {
    await this.request("setPassword", { room: name, password }, { repeat: true });
    this.keepPassword(name, password);
  }
}
