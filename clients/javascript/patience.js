/** Asking again what passes, after pauses that grow. */

import { ParleyError, inTime, pause, wait } from "./support.js";

/** Milliseconds. */
const FIRST_PAUSE = 100, LONGEST_PAUSE = 2_000, ANSWER_WITHIN = 30_000;

/** How long to pause after an error: at random, and not less than the server asks for. */
export const pauseAfter = (error, attempt, longest = LONGEST_PAUSE) =>
  error.retryAfterMs + pause(attempt, FIRST_PAUSE, longest);

/** Ask again while the answer is an error that passes and the connection lasts. */
export async function patiently(ask) {
  for (let attempt = 0; ; attempt++) {
    try {
      return await ask();
    } catch (error) {
      if (error.code === "connection_lost" || !error.retryable) throw error;
      await wait(pauseAfter(error, attempt));
    }
  }
}

/** Ask until there is an answer, on another connection if need be; see `Parley.request`. */
export async function request(connection, ask, { repeat = false, within = ANSWER_WITHIN, longest = within } = {}) {
  const until = Date.now() + within;
  const late = new ParleyError("timeout", `no answer within ${within / 1000} s`, true);
  for (let attempt = 0; ; attempt++) {
    await inTime(connection.ready.promise, until - Date.now(), late);
    try {
      return await inTime(ask(), until - Date.now(), late);
    } catch (error) {
      const again = error.code === "connection_lost" ? repeat : error.retryable;
      if (!again || error === late || connection.state === "closed") throw error;
      // Whoever is to wait for longer than they want to is told so, not kept waiting.
      if (error.retryAfterMs > Math.min(longest, until - Date.now())) throw error;
      await wait(pauseAfter(error, attempt));
    }
  }
}
