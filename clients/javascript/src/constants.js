// Constants of the protocol: error codes, close codes and limits.
// Generated from the server's `shared/protocol` by `make generate`; do not edit.

export const RETRYABLE_ERRORS = new Set([
  "rate_limited",
  "overloaded",
  "broker_unavailable",
  "storage_unavailable",
]);
export const CLOSE_CODES = Object.freeze({
  NORMAL_CLOSURE: 1000,
  GOING_AWAY: 1001,
  PROTOCOL_ERROR: 1002,
  ABNORMAL_CLOSURE: 1006,
  INVALID_DATA: 1007,
  POLICY_VIOLATION: 1008,
  MESSAGE_TOO_BIG: 1009,
  INTERNAL_ERROR: 1011,
  SERVICE_RESTART: 1012,
  TRY_AGAIN_LATER: 1013,
  INVALID_FRAMES: 4400,
  UNAUTHORIZED: 4401,
  FORBIDDEN: 4403,
  IDENTITY_TIMEOUT: 4408,
  TOO_MANY_REQUESTS: 4429,
});
export const FINAL_CLOSE_CODES = new Set([1008, 4400, 4403]);
export const TOKEN_CLOSE_CODES = new Set([4408]);
export const NEW_TOKEN_CLOSE_CODES = new Set([4401]);
export const MAX_INTEGER = 9_007_199_254_740_991;
export const MAX_ID_DIGITS = 16;
export const MAX_NAME_CHARACTERS = 128;
export const MAX_TYPED_NAME_CHARACTERS = 256;
export const MAX_CLIENT_MSG_ID_CHARACTERS = 128;
export const MAX_PASSWORD_CHARACTERS = 256;
export const MAX_GRANT_CHARACTERS = 1024;
export const MAX_TOKEN_CHARACTERS = 8192;
export const MAX_CONTENT_CHARACTERS = 16_000;
export const DEFAULT_CONTENT_CHARACTERS = 4000;
export const MAX_EVENT_CHARACTERS = 64;
export const MAX_REQUEST_ID_CHARACTERS = 128;
export const DEFAULT_FRAME_BYTES = 65_536;
export const MAX_PAGE_ITEMS = 1000;
export const DEFAULT_PAGE_ITEMS = 100;
export const MAX_PAGE_BYTES = 524_288;
export const MAX_CONTENT_BYTES_PER_CHARACTER = 4;
export const MAX_RESUMED_PLACES = 1000;
export const MAX_ROOM_STANDINGS = 5000;
export const TYPING_SECONDS = 2.2;
export const IDENTIFY_SECONDS = 5.0;
