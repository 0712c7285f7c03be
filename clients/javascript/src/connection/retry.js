/** Requests that are repeated after retryable errors, with growing pauses. */

import { ParleyError } from "../support/errors.js";
import { randomPause, wait, withTimeout } from "../support/promises.js";

/** Milliseconds. */
const FIRST_PAUSE_MS = 100, MAX_PAUSE_MS = 2_000, ANSWER_TIMEOUT_MS = 30_000;

/** Milliseconds to wait after an error: random, and never less than the server asks for. */
export const pauseAfter = (error, attempt, longest = MAX_PAUSE_MS) =>
  error.retryAfterMs + randomPause(attempt, FIRST_PAUSE_MS, longest);

/** Repeat a request after retryable errors, for as long as the connection lasts. */
export async function retryOnConnection(ask) {
  for (let attempt = 0; ; attempt++) {
    try {
      return await ask();
    } catch (error) {
      if (error.code === "connection_lost" || !error.retryable) throw error;
      await wait(pauseAfter(error, attempt));
    }
  }
}

/**
 * Make a request, if need be on the next connection; see `Parley.request` for the options.
 * `ask(ms)` makes it, and waits so long for an answer.
 * `repeat: false` is for what could be done twice: the server may have done it before the
 * connection was lost, so it is not sent again then.
 */
export async function requestWithRetries(connection, ask,
  { repeat = false, within = ANSWER_TIMEOUT_MS, longest = within } = {}) {
  const deadline = Date.now() + within;
  const timeout = new ParleyError("timeout", `no answer within ${within / 1000} s`, true);
  for (let attempt = 0; ; attempt++) {
    await withTimeout(connection.ready.promise, deadline - Date.now(), timeout);
    try {
      return await ask(deadline - Date.now());
    } catch (error) {
      if (error.code === "timeout") throw timeout;
      const mayRepeat = error.code === "connection_lost" ? repeat : error.retryable;
      if (!mayRepeat || connection.state === "closed") throw error;
      // The server asks for a longer wait than the caller allows: they learn of it now.
      if (error.retryAfterMs > Math.min(longest, deadline - Date.now())) throw error;
      await wait(pauseAfter(error, attempt));
    }
  }
}
