// The rule this folder enforces: behind the gateway every check ends as it does without the gateway.
// Never counts passes: a check that passes behind the gateway and fails without it is a difference too, but for `MENDED`.

import { scoredScenarios } from "./suite.mjs";

/**
 * What the gateway answers itself, because only it knows whose a task is: the same at every server. A server without tasks fails
 * these checks, and behind the gateway they succeed.
 */
const MENDED = [
  "tasks-capability-negotiation / sep-2663-tasks-methods-non-declaring",
  "tasks-dispatch-and-envelope / sep-2663-tasks-get-invalid-task-id-32602",
];

/** Compares two runs. Returns how many checks are equal and a line for each that is not, those of `MENDED` apart. */
export function compare(direct, gateway) {
  const [differences, mended] = [[], []];
  let equal = 0;
  for (const check of new Set([...direct.keys(), ...gateway.keys()])) {
    const [without, behind] = [direct.get(check), gateway.get(check)];
    if (without?.status === behind?.status) {
      equal += 1;
    } else if ([without, behind].every((found) => found === undefined || found.status === "INFO")) {
      // A note about one more event of a stream is no verdict: how many come depends on when the suite stops listening.
    } else if (without?.status === "FAILURE" && behind?.status === "SUCCESS" && MENDED.some((name) => check.startsWith(name))) {
      mended.push(`mended: ${check}`);
    } else {
      const message = behind?.message ?? without?.message ?? "";
      const statuses = `direct ${without?.status ?? "missing"}, gateway ${behind?.status ?? "missing"}`;
      differences.push(`different: ${check}: ${statuses} ${message}`.trim());
    }
  }
  return { equal, differences, mended };
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
