/** Message texts as nodes, and times and counts as words. */

import { h } from "./dom.js";

const LINK = /\bhttps?:\/\/[^\s<>"]+/giu;
/** Punctuation after a link that belongs to the sentence around it. */
const SENTENCE_END = /[.,:;!?'*_~]+$/u;
const ONLY_EMOJI = /^(?:\p{Emoji_Presentation}|\p{Emoji}\uFE0F|\p{Extended_Pictographic}|\u200D|\p{Emoji_Modifier}|\s)+$/u;
const MAX_LARGE_EMOJI = 6;

/** The nodes of a text, with its URLs as links. Everything else stays text. */
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

/** A URL without the punctuation after it. A closing bracket stays if the URL has an opening one. */
function withinSentence(url) {
  for (;;) {
    const cut = url.replace(SENTENCE_END, "");
    const closes = /[)\]}]$/u.test(cut) && !/[([{]/u.test(cut);
    if (cut === url && !closes) return url;
    url = closes ? cut.slice(0, -1) : cut;
  }
}

/** True for a message of a few emoji and nothing else, which is shown large. */
export function isEmoji(content) {
  return content.length < 40 && ONLY_EMOJI.test(content) &&
    [...new Intl.Segmenter().segment(content.replace(/\s/gu, ""))].length <= MAX_LARGE_EMOJI;
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

/** A key for the day of a time in the reader's time zone. */
export const dayKey = (iso) => new Date(iso).toDateString();

/** "Today", "Yesterday", "Friday 3 May", or a date with the year if it is another year. */
export function dayLabel(iso, now = new Date()) {
  const then = new Date(iso);
  const yesterday = new Date(now);
  yesterday.setDate(now.getDate() - 1);
  if (then.toDateString() === now.toDateString()) return "Today";
  if (then.toDateString() === yesterday.toDateString()) return "Yesterday";
  return (then.getFullYear() === now.getFullYear() ? day : dayOfYear).format(then);
}

/** The day and the time. */
export const dayAndTime = (iso) => `${dayLabel(iso)}, ${timeOf(iso)}`;

/** The time if it is today, else the date. */
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
export const count = (n, noun) => `${n} ${noun}${n === 1 ? "" : "s"}`;

/** Changes of a room that are lines between messages: what comes after the user who made them. */
const ROOM_CHANGES = {
  kicked: (user) => [" removed ", user, " from the room."],
  banned: (user) => [" banned ", user, " from the room."],
  unbanned: (user) => [" undid the ban on ", user, "."],
  moderatorChanged: (user, { moderator }) => (moderator ? [" made ", user, " a moderator."] : [" removed ", user, " as moderator."]),
  passwordChanged: (_, { protected: locked }) => [locked ? " set a new password." : " removed the password: anyone can join."],
};

/** Everything that is in the list of what was done in a room. */
const ACTS = {
  ...ROOM_CHANGES,
  messageDeleted: (user) => [" deleted a message that ", user, " wrote."],
  deleteMessages: () => [" deleted all messages."],
  roomCreated: () => [" created the room."],
};

export const ROOM_CHANGE_TYPES = Object.keys(ROOM_CHANGES);

/**
 * The parts of a sentence on what was done in a room, for example of a `kicked`. `mine`: the user's own
 * names, which read "you". `named(user)` makes the part of every other name, spelled as it is.
 */
export function actParts(type, facts, mine, named = (user) => user) {
  const by = facts.by === undefined ? "Somebody" : mine.has(String(facts.by)) ? "You" : named(String(facts.by));
  const user = facts.user === undefined ? "somebody" : mine.has(String(facts.user)) ? "you" : named(String(facts.user));
  const rest = ACTS[type]?.(user, facts) ?? [` changed the room (${type}).`]; // by a newer server
  return [by, ...rest];
}
