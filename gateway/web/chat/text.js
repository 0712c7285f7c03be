/** What people wrote, and times, as nodes and words. */

import { h } from "./dom.js";

const LINK = /\bhttps?:\/\/[^\s<>"]+/giu;
/** Signs at the end of a link that belong to the sentence around it. */
const SENTENCE_END = /[.,:;!?'*_~]+$/u;
const ONLY_EMOJI = /^(?:\p{Emoji_Presentation}|\p{Emoji}\uFE0F|\p{Extended_Pictographic}|\u200D|\p{Emoji_Modifier}|\s)+$/u;
const MOST_EMOJI = 6;

/** Text with its links made links; nothing else in it means anything. */
export function linked(content) {
  const nodes = [];
  let at = 0;
  for (const match of content.matchAll(LINK)) {
    const url = withinSentence(match[0]);
    if (!isUrl(url)) continue;
    nodes.push(content.slice(at, match.index), anchor(url));
    at = match.index + url.length;
  }
  nodes.push(content.slice(at));
  return nodes.filter((node) => node !== "");
}

function isUrl(text) {
  try {
    return Boolean(new URL(text));
  } catch {
    return false;
  }
}

function anchor(url) {
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer nofollow ugc" }, url);
}

/** A link without the end of the sentence; a closing bracket stays where one was opened. */
function withinSentence(url) {
  for (;;) {
    const cut = url.replace(SENTENCE_END, "");
    const closes = /[)\]}]$/u.test(cut) && !/[([{]/u.test(cut);
    if (cut === url && !closes) return url;
    url = closes ? cut.slice(0, -1) : cut;
  }
}

/** Whether a message is a few emoji and nothing else; they are shown large. */
export function isEmoji(content) {
  return content.length < 40 && ONLY_EMOJI.test(content) &&
    [...new Intl.Segmenter().segment(content.replace(/\s/gu, ""))].length <= MOST_EMOJI;
}

/** Characters as the server counts them. */
export const lengthOf = (content) => [...content].length;

const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const dayOfYear = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric" });
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });
const short = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });

export const timeOf = (iso) => clock.format(new Date(iso));
export const momentOf = (iso) => whole.format(new Date(iso));

/** A day, by the reader's own calendar; equal for equal days. */
export const dayKey = (iso) => new Date(iso).toDateString();

/** "Today", "Yesterday", "Friday 3 May", or with the year where it is another. */
export function dayLabel(iso, now = new Date()) {
  const then = new Date(iso);
  const yesterday = new Date(now);
  yesterday.setDate(now.getDate() - 1);
  if (then.toDateString() === now.toDateString()) return "Today";
  if (then.toDateString() === yesterday.toDateString()) return "Yesterday";
  return (then.getFullYear() === now.getFullYear() ? day : dayOfYear).format(then);
}

/** The time of something of today, else its date. */
export function recently(iso, now = new Date()) {
  const then = new Date(iso);
  return then.toDateString() === now.toDateString() ? clock.format(then) : short.format(then);
}

/** "bob is typing", "bob and carl are typing", "Several people are typing". */
export function typingLine(users) {
  if (users.length === 0) return "";
  if (users.length === 1) return `${users[0]} is typing`;
  return users.length === 2 ? `${users[0]} and ${users[1]} are typing` : "Several people are typing";
}

/** "1 message", "14 messages". */
export const count = (n, one) => `${n} ${one}${n === 1 ? "" : "s"}`;

/** What somebody did in a room, as a line among its messages; `called(user)` is a name, or "you". */
export const RULE_LINES = {
  kicked: (called, { by, user }) => `${called(by)} put ${called(user)} out of the room.`,
  banned: (called, { by, user }) => `${called(by)} banned ${called(user)} from the room.`,
  unbanned: (called, { by, user }) => `${called(by)} let ${called(user)} in again.`,
  moderatorChanged: (called, { by, user, moderator }) =>
    `${called(by)} made ${called(user)} ${moderator ? "a moderator" : "a member like any other"}.`,
  passwordChanged: (called, { by, protected: locked }) =>
    `${called(by)} ${locked ? "set a new password" : "took the password off: anybody may join"}.`,
};
