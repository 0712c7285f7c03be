/** Who may what in a room: asking for it. */

/** What the owner and moderators of rooms may do; `request` is the client's. */
export class Moderation {
  async kick(name, user) {
    await this.request("kick", { room: name, user }); // asked twice it might put out who came back
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
