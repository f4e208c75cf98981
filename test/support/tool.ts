import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import process from 'node:process';

/** Where CI and daily work unpack the lab's binaries; `LAZYBENCH_LAB_BIN` names another place. */
export const labBin = process.env['LAZYBENCH_LAB_BIN'] ?? path.join(homedir(), '.cache/lazybench-lab/bin');

const isExecutable = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/**
 * Thrown when a real program is not installed. Where tools are required (CI) that is a failure; on a newcomer's
 * machine the test counts as skipped, with this message, and the last line of the run says how many were.
 */
export class MissingTool extends Error {}

/** CI and `LAZYBENCH_REQUIRE_TOOLS=1`: nothing may be skipped. */
export const toolsAreRequired =
  process.env['CI'] === 'true' || process.env['LAZYBENCH_REQUIRE_TOOLS'] === '1';

/** Absolute path of a real program that a test needs (skopeo, nydus-image …); throws {@link MissingTool} without it. */
export function requireTool(name: string): string {
  const folders = [...(process.env['PATH'] ?? '').split(path.delimiter), '/usr/sbin', '/sbin', labBin];
  const found = folders.map((folder) => path.join(folder, name)).find(isExecutable);
  if (found === undefined)
    throw new MissingTool(`needs \`${name}\`, which is not installed (.ci/run installs it)`);
  return found;
}

/** For tests that need root (mounts, ownership, namespaces). */
export function requireRoot(): void {
  if (process.getuid?.() !== 0) throw new MissingTool('needs root');
}
