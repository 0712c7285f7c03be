/** Tokens as an application gives them to the people it knows (RFC 7519, HS256). */

import { createHmac } from "node:crypto";

const KEY = "a key for tests that is longer than thirty-two bytes";

/** The settings of a cluster that takes these tokens. */
export const JWT = { AUTH_MODE: "jwt", JWT_KEY: KEY, GUESTS: "on", JWT_LEEWAY: "0" };

const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A token that names a user for so many seconds. */
export function tokenFor(user, seconds = 3600) {
  const exp = Math.floor(Date.now() / 1000) + seconds;
  const said = `${part({ alg: "HS256", typ: "JWT" })}.${part({ sub: user, exp })}`;
  return `${said}.${createHmac("sha256", KEY).update(said).digest("base64url")}`;
}
