/** Promises that wait, that are settled from outside, or that have a time limit. */

/** Resolve after `ms` milliseconds. */
export const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Milliseconds to wait before an attempt: random up to `first * 2 ** attempt` and at most `longest`
 * (full jitter), so that clients that lost the same gateway do not all come back at once.
 */
export const randomPause = (attempt, first, longest) =>
  Math.random() * Math.min(longest, first * 2 ** Math.min(attempt, 16));

/** A promise with its `resolve` and `reject`; `settled` is true after either was called. */
export function deferred() {
  const self = { settled: false };
  self.promise = new Promise((resolve, reject) => {
    self.resolve = (value) => { self.settled = true; resolve(value); };
    self.reject = (error) => { self.settled = true; reject(error); };
  });
  self.promise.catch(() => {}); // an application that awaits nothing learns of it by events
  return self;
}

/** The result of a promise, or a rejection with `error` after `ms` milliseconds. */
export function withTimeout(promise, ms, error) {
  let timer;
  const timeout = new Promise((_, reject) => { timer = setTimeout(reject, Math.max(ms, 0), error); });
  promise.catch(() => {}); // it may still reject after the time limit, when nobody awaits it
  return Promise.race([promise, timeout]).finally(() => clearTimeout(timer));
}
