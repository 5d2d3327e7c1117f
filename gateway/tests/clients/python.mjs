// The Python environment of the clients, made when it is missing or not what requirements.txt says. Never touches another one.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { finish, start } from './children.mjs';

const STEP_MILLISECONDS = 300_000;

/** Resolves to the interpreter of an environment in `folder` that has exactly these requirements. */
export async function pythonWithRequirements(folder, requirements) {
  if (!folder) throw new Error('set GATEWRIGHT_VENV to a folder for the Python environment');
  const python = join(folder, 'bin', 'python');
  const stamp = join(folder, 'requirements.sha256');
  const digest = createHash('sha256').update(readFileSync(requirements)).digest('hex');
  if (existsSync(python) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return python;
  await step(process.env.PYTHON ?? 'python3', ['-m', 'venv', '--clear', folder]);
  await step(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps', '-r', requirements]);
  writeFileSync(stamp, digest);
  return python;
}

async function step(command, args) {
  const child = start(command, args);
  const how = await finish(child, STEP_MILLISECONDS);
  if (how !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${how}:\n${child.output}`);
}
