/** The errors of the client. */

/**
 * A request that the server refused, or that could not be made. `code` names the cause. If
 * `retryable` is true, the same request may succeed after `retryAfterMs` milliseconds. `reason` says
 * which of the causes of a code it is, where the server tells: "banned" for `forbidden`.
 */
export class ParleyError extends Error {
  constructor(code, message, retryable = false, retryAfterMs = 0, reason = undefined) {
    super(message);
    this.name = "ParleyError";
    this.code = code;
    this.retryable = retryable;
    this.retryAfterMs = retryAfterMs;
    this.reason = reason;
  }
}

export const connectionLost = () =>
  new ParleyError("connection_lost", "the connection was lost", true);
