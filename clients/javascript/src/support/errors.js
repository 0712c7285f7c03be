/** The errors of the client. */

/**
 * A request that the server refused, or that could not be made. `code` names the cause. If
 * `retryable` is true, the same request may succeed after `retryAfterMs` milliseconds.
 */
export class ParleyError extends Error {
  constructor(code, message, retryable = false, retryAfterMs = 0) {
    super(message);
    this.name = "ParleyError";
    this.code = code;
    this.retryable = retryable;
    this.retryAfterMs = retryAfterMs;
  }
}

export const connectionLost = () =>
  new ParleyError("connection_lost", "the connection was lost", true);
