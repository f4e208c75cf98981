import { readdir, readFile, rm, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { runCommand as tryCommand } from '../image/run-command.ts';
import { layOutLab, mostLabNodes, type LabLayout } from './lab-layout.ts';
import { removeNetwork } from './lab-network.ts';
import { readLabState } from './lab-state.ts';
import { ProcessTable } from './process-table.ts';

/** Removes everything a lab made: also one that crashed half-way. Idempotent. */
export async function takeDown(directory: string, options: { readonly keepLogs: boolean }): Promise<void> {
  const lab = await readLabState(directory);
  // Without a readable record, look for everything that a lab in this directory could have made.
  const layout = lab?.layout ?? layOutLab({ directory, nodes: mostLabNodes });
  const processes = new ProcessTable(layout.directory, layout.logDirectory);
  // Nodes first and at once: their first process takes the whole PID namespace with it. The API server takes 20 s
  // to drain when asked nicely, and a lab's etcd has nothing to save.
  await processes.stop({ graceMs: 0 });
  await unmountLeftovers(directory);
  await removeNetwork(layout);
  await removeCgroups(layout);
  if (options.keepLogs) {
    for (const entry of await readdir(directory).catch(() => [])) {
      if (entry !== 'log') await rm(path.join(directory, entry), { recursive: true, force: true });
    }
  } else {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Mounts below the lab's directory that leaked into this mount namespace (none when nodes ended well). */
async function unmountLeftovers(directory: string): Promise<void> {
  const mounts = (await readFile('/proc/self/mounts', 'utf8'))
    .split('\n')
    .map((line) => line.split(' ')[1])
    .filter((target): target is string => target?.startsWith(`${directory}/`) ?? false);
  for (const target of mounts.reverse()) await tryCommand(['umount', '--lazy', target]);
}

/** Control groups that the nodes' containers had: empty folders now, but they would add up. */
async function removeCgroups(layout: LabLayout): Promise<void> {
  const roots = ['/sys/fs/cgroup', ...(await subfolders('/sys/fs/cgroup'))];
  for (const root of roots) {
    for (const name of ['k8s.io', 'kubepods', ...layout.nodes.map((node) => `lazybench-${node.name}`)]) {
      await removeEmptyTree(path.join(root, name));
    }
  }
}

async function subfolders(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => path.join(directory, entry.name));
}

async function removeEmptyTree(directory: string): Promise<void> {
  for (const folder of await subfolders(directory)) await removeEmptyTree(folder);
  // A group whose last process has just ended stays busy for a moment.
  for (let attempt = 0; attempt < 20; attempt += 1) {
    try {
      await rmdir(directory);
      return;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EBUSY')) return;
      await delay(50);
    }
  }
}
