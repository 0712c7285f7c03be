/** The same types, for `require`. */

import parley = require("parley-chat");
import hooks = require("parley-chat/react");

const client: parley.Parley = new parley.Parley("http://127.0.0.1:8080", { username: "ann" });
// @ts-expect-error a place begins with # or @
void client.send("general", "hello");
export const { useRoom } = hooks;
