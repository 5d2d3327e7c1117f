// The fixture servers, one on each SDK. Never starts one that listens anywhere but on loopback.

import { fileURLToPath } from "node:url";

import { firstLine, start } from "../clients/children.mjs";
import { pythonWithRequirements } from "../clients/python.mjs";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/** Starts the three servers; resolves to their names and URLs. */
export async function startServers({ everything, venv }) {
  const python = await pythonWithRequirements(venv, here("../clients/requirements.txt"));
  const free = { PORT: "0", PYTHONWARNINGS: "ignore" };
  const [rust, typescript, snake] = await Promise.all([
    firstUrl(start(everything, ["0"])),
    firstLine(start(process.execPath, [here("servers/everything.mjs")], free)).then(({ url }) => url),
    firstLine(start(python, [here("servers/everything.py")], free)).then(({ url }) => url),
  ]);
  return { rust, typescript, python: snake };
}

/** The URL that the server on the Rust SDK says in a sentence. */
function firstUrl(child) {
  return new Promise((resolve, reject) => {
    child.stdout.on("data", () => {
      const url = /http:\/\/127\.0\.0\.1:\d+\/mcp/.exec(child.output);
      if (url) resolve(url[0].replace("127.0.0.1", "localhost"));
    });
    child.ended.then((how) => reject(new Error(`the fixture server ended with ${how}:\n${child.output}`)));
  });
}
