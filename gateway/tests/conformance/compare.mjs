// The rule this folder enforces: behind the gateway every check ends as it does without the gateway.
// Never counts passes: a check that passes behind the gateway and fails without it is a difference too.

import { scoredScenarios } from "./suite.mjs";

/** Compares two runs. Returns how many checks are equal and a line for each that is not. */
export function compare(direct, gateway) {
  const differences = [];
  let equal = 0;
  for (const check of new Set([...direct.keys(), ...gateway.keys()])) {
    const [without, behind] = [direct.get(check), gateway.get(check)];
    if (without?.status === behind?.status) {
      equal += 1;
    } else {
      const message = behind?.message ?? without?.message ?? "";
      const statuses = `direct ${without?.status ?? "missing"}, gateway ${behind?.status ?? "missing"}`;
      differences.push(`different: ${check}: ${statuses} ${message}`.trim());
    }
  }
  return { equal, differences };
}

/** What makes the direct run worthless as a measure: scored scenarios that failed or never ran. */
export function unsound(direct, revision) {
  const scored = scoredScenarios(revision, direct);
  const ran = new Set([...direct.values()].map(({ scenario }) => scenario));
  const missing = [...scored].filter((scenario) => !ran.has(scenario));
  const failed = [...direct].filter(([, { scenario, status }]) => status === "FAILURE" && scored.has(scenario));
  const lines = [
    ...missing.map((scenario) => `direct run: ${scenario} did not run`),
    ...failed.map(([check, { message }]) => `direct run: ${check} failed: ${message ?? ""}`.trim()),
  ];
  return direct.size === 0 ? [...lines, "direct run: no check at all"] : lines;
}
