/** What the server takes, as its `welcome` says, and the errors of what it would refuse. */

import { DEFAULT_CONTENT_CHARACTERS, DEFAULT_FRAME_BYTES, MAX_CONTENT_BYTES_PER_CHARACTER } from "../constants.js";
import { ParleyError } from "../support/errors.js";

/** Half of a surrogate pair as `JSON.stringify` writes it, and not a backslash before such letters. */
const HALF_ESCAPED = /(?:^|[^\\])(?:\\\\)*\\ud[89a-f][0-9a-f]{2}/;
const HALF = /\p{Surrogate}/u;
const HALF_MESSAGE = "a text has half of a surrogate pair: a character was cut in two";

export class Limits {
  maxContent = DEFAULT_CONTENT_CHARACTERS;
  maxFrame = DEFAULT_FRAME_BYTES;
  /** False until a server has said them. */
  areKnown = false;

  take({ maxContent = DEFAULT_CONTENT_CHARACTERS, maxFrame = DEFAULT_FRAME_BYTES }) {
    Object.assign(this, { maxContent, maxFrame, areKnown: true });
  }

  /** The error of a message that no server takes, or not this one; undefined if there is none. */
  contentError(content) {
    if (typeof content !== "string") return new ParleyError("bad_request", "a message is a text");
    if (content === "") return new ParleyError("bad_request", "a message has at least one character");
    if (content.includes("\0")) return new ParleyError("bad_request", "a text cannot hold NUL");
    if (HALF.test(content)) return new ParleyError("bad_request", HALF_MESSAGE);
    const { maxContent } = this;
    // Before a server has said more, only what no message can be is refused.
    if (!this.areKnown) return undefined;
    if (content.length > maxContent && [...content].length > maxContent) {
      return new ParleyError("too_long", `a message has at most ${maxContent} characters`);
    }
    const maxBytes = maxContent * MAX_CONTENT_BYTES_PER_CHARACTER;
    // `JSON.stringify` writes at most 6 bytes for a unit of UTF-16, and the quotes around.
    if (content.length * 6 <= maxBytes || byteLength(JSON.stringify(content)) - 2 <= maxBytes) return undefined;
    return new ParleyError("too_long", `a message has at most ${maxBytes} bytes in JSON`);
  }

  /** The error of a frame that would be refused, or end the connection; undefined if there is none. */
  frameError(text, bytes) {
    if (HALF_ESCAPED.test(text)) return new ParleyError("bad_request", HALF_MESSAGE);
    return bytes > this.maxFrame ? tooLarge(bytes, this.maxFrame) : undefined;
  }
}

export const tooLarge = (bytes, limit) => new ParleyError("too_long",
  `a request has ${bytes} bytes, more than the server takes${limit === undefined ? "" : ` (${limit})`}`);

/** The bytes of a text in UTF-8. */
export function byteLength(text) {
  let bytes = text.length;
  for (let n = 0; n < text.length; n++) {
    const unit = text.charCodeAt(n);
    // A surrogate pair has 4 bytes, 2 for each half; other characters have 1, 2 or 3.
    if (unit >= 0x80) bytes += unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 1 : 2;
  }
  return bytes;
}
