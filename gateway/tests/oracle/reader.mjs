// Reads messages, each behind its length (32 bits, little endian), and writes what a server on Node would read of each,
// one line of JSON a message.
import { readFileSync } from "node:fs";

const input = readFileSync(0);
const text = (value) => (typeof value === "string" ? value : null);
const lines = [];
for (let at = 0; at < input.length; ) {
  const length = input.readUInt32LE(at);
  const message = JSON.parse(input.subarray(at + 4, at + 4 + length).toString("utf8"));
  at += 4 + length;
  const params = message.params ?? {};
  const reference = params.ref ?? {};
  lines.push(
    JSON.stringify(
      [message.method, params.name, params.uri, params.taskId, reference.type, reference.name, reference.uri].map(text),
    ),
  );
}
process.stdout.write(lines.map((line) => `${line}\n`).join(""));
