// Compares one server with and without the gateway in front of it, by the official conformance suite:
//
//   node run.mjs --direct URL --gateway URL --revision 2025-06-18|2025-11-25|2026-07-28 [--token-file F]
//
// Prints `direct: A of B checks succeed`, a line for every check that ends differently and, last, `N passed, M failed`,
// where N is the number of equal checks. Exit code 1 if anything differs, 2 for wrong usage.

import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";

import { compare, unsound } from "./compare.mjs";
import { startInjector } from "./injector.mjs";
import { REVISIONS, runSuite } from "./suite.mjs";

const { direct, gateway, revision, token } = readOptions();
const injector = await startInjector(gateway, token);
// Two runs share nothing but the server, which keeps their sessions apart.
const [without, behind] = await Promise.all([runSuite(direct, revision), runSuite(injector.url, revision)]);
injector.close();

const judged = [...without.values()].filter(({ status }) => !["INFO", "SKIPPED"].includes(status));
const succeeded = judged.filter(({ status }) => status === "SUCCESS");
console.log(`direct: ${succeeded.length} of ${judged.length} checks succeed`);
const { equal, differences, mended } = compare(without, behind);
mended.forEach((line) => console.log(line));
const findings = [...unsound(without, revision), ...differences];
findings.forEach((line) => console.log(line));
console.log(`${equal} passed, ${findings.length} failed`);
process.exitCode = findings.length === 0 ? 0 : 1;

function readOptions() {
  const option = { type: "string" };
  try {
    const { values } = parseArgs({
      options: { direct: option, gateway: option, revision: option, "token-file": option },
    });
    const file = values["token-file"];
    const token = file === undefined ? undefined : readFileSync(file, "utf8").trim();
    if (!Object.hasOwn(REVISIONS, values.revision ?? "")) {
      throw new Error(`--revision is one of ${Object.keys(REVISIONS).join(", ")}`);
    }
    return { direct: httpUrl(values, "direct"), gateway: httpUrl(values, "gateway"), revision: values.revision, token };
  } catch (error) {
    console.error(error.message);
    process.exit(2);
  }
}

function httpUrl(values, name) {
  const url = values[name];
  if (!URL.canParse(url ?? "") || new URL(url).protocol !== "http:") {
    throw new Error(`--${name} is an http:// URL`);
  }
  return url;
}
