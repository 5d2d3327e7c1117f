// A streaming HTTP proxy on loopback: what comes in goes out at once, in both directions, and when one
// side leaves the other side learns it. Never buffers a body and never changes the Host it receives.

import http from "node:http";

/**
 * Starts a proxy in front of `target` on a free port.
 * `admit(request)` may return a status code to answer instead of forwarding;
 * `edit(headers)` gets the request headers as [name, value] pairs and returns the ones to send.
 */
export async function startProxy(target, { admit = () => undefined, edit = (headers) => headers } = {}) {
  const { hostname, port } = new URL(target);
  const agent = new http.Agent({ keepAlive: true });
  const server = http.createServer((request, response) => {
    const refusal = admit(request);
    if (refusal !== undefined) {
      request.resume();
      response.writeHead(refusal).end();
      return;
    }
    const headers = edit(endToEnd(request.rawHeaders)).flat();
    const { method, url: path } = request;
    const upstream = http.request({ hostname, port, method, path, headers, agent });
    upstream.setNoDelay(true);
    upstream.on("response", (answer) => relay(answer, response));
    upstream.on("error", () => fail(response));
    response.on("close", () => upstream.destroy());
    request.pipe(upstream);
  });
  server.on("connection", (socket) => socket.setNoDelay(true));
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${server.address().port}${new URL(target).pathname}`,
    close: () => {
      server.close();
      server.closeAllConnections();
      agent.destroy();
    },
  };
}

function relay(answer, response) {
  response.writeHead(answer.statusCode, endToEnd(answer.rawHeaders).flat());
  // A stream whose first event is minutes away still has a head now.
  response.flushHeaders();
  answer.on("error", () => response.destroy());
  answer.on("aborted", () => response.destroy());
  answer.pipe(response);
}

function fail(response) {
  if (response.headersSent) {
    response.destroy();
  } else {
    response.writeHead(502).end();
  }
}

function endToEnd(rawHeaders) {
  const pairs = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (!HOP_BY_HOP.has(rawHeaders[index].toLowerCase())) {
      pairs.push([rawHeaders[index], rawHeaders[index + 1]]);
    }
  }
  return pairs;
}

const HOP_BY_HOP = new Set(["connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade"]);
