// The suite cannot send a credential. The injector stands between it and the gateway and adds one.
// Never shows the token and never passes on a credential it did not add.

import { startProxy } from "./proxy.mjs";

/** Starts an injector in front of `gateway`; without a token it only forwards. */
export function startInjector(gateway, token) {
  const authorization = token === undefined ? [] : [["Authorization", `Bearer ${token}`]];
  const edit = (headers) => [
    ...headers.filter(([name]) => name.toLowerCase() !== "authorization"),
    ...authorization,
  ];
  return startProxy(gateway, { edit });
}
