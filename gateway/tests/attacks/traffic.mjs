// Good traffic: a steady, modest rate of calls from an address of its own, and how long each took. Never sends faster when
// answers are late: a call that is due is sent, whatever became of the others.

import http from "node:http";

const CALLS_A_SECOND = 50;
const KEPT_CONNECTIONS = 4;
// Some calls come on a connection of their own, so that connections are still accepted is shown too.
const FRESH_EVERY = 10;
const PATIENCE_MILLISECONDS = 5000;
const SOURCE = "127.0.0.2";
const CALL = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "small", arguments: {} } });

/** Something that measures calls to `url`; to be closed at the end. */
export function goodTraffic(url, token) {
  const kept = new http.Agent({ keepAlive: true, maxSockets: KEPT_CONNECTIONS });
  const headers = {
    authorization: `Bearer ${token}`, "content-type": "application/json", accept: "application/json, text/event-stream",
    "mcp-protocol-version": "2025-11-25", "content-length": Buffer.byteLength(CALL),
  };
  // The address as a number: names are not looked up while it is measured.
  const { port, pathname: path, host } = new URL(url);
  const target = { hostname: "127.0.0.1", port, path, method: "POST", headers: { ...headers, host }, localAddress: SOURCE };

  const call = (number) => new Promise((resolve) => {
    const began = performance.now();
    const agent = number % FRESH_EVERY === 0 ? false : kept;
    const request = http.request({ ...target, agent, timeout: PATIENCE_MILLISECONDS }, (response) => {
      response.on("data", () => {}).on("error", () => {});
      response.on("close", () => {
        const isGood = response.complete && response.statusCode === 200;
        resolve({ milliseconds: performance.now() - began, fault: isGood ? undefined : `status ${response.statusCode}` });
      });
    });
    request.on("timeout", () => request.destroy(new Error("no answer")));
    request.on("error", ({ message }) => resolve({ milliseconds: performance.now() - began, fault: message }));
    request.end(CALL);
  });

  return {
    /** Calls for so long; resolves to the 99th percentile in milliseconds, the number of calls and what went wrong. */
    async measure(milliseconds) {
      const calls = [];
      await new Promise((resolve) => {
        const timer = setInterval(() => {
          calls.push(call(calls.length));
          if (calls.length >= (milliseconds / 1000) * CALLS_A_SECOND) resolve(clearInterval(timer));
        }, 1000 / CALLS_A_SECOND);
      });
      const results = await Promise.all(calls);
      const sorted = results.map((result) => result.milliseconds).sort((a, b) => a - b);
      const faults = results.flatMap(({ fault }) => fault ?? []);
      return { p99: sorted[Math.ceil(sorted.length * 0.99) - 1], count: sorted.length, faults };
    },
    close: () => kept.destroy(),
  };
}
