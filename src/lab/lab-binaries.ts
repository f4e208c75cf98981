import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { HarnessError } from '../errors/harness-error.ts';
import { runCommand as tryCommand } from '../image/run-command.ts';

/** Binaries that a lab needs in its bin directory, how each tells its version, and the version the lab is made for. */
export const labBinaries = [
  { name: 'kube-apiserver', versionArgs: ['--version'], expected: 'v1.34.' },
  { name: 'kube-controller-manager', versionArgs: ['--version'], expected: 'v1.34.' },
  { name: 'kube-scheduler', versionArgs: ['--version'], expected: 'v1.34.' },
  { name: 'kubelet', versionArgs: ['--version'], expected: 'v1.34.' },
  { name: 'containerd', versionArgs: ['--version'], expected: '2.2.' },
  { name: 'containerd-shim-runc-v2', versionArgs: ['-v'], expected: '2.2.' },
  { name: 'ctr', versionArgs: ['--version'], expected: '2.2.' },
  // These three do not know their version when built from the registries: VERSIONS.json beside bin/ does.
  { name: 'containerd-nydus-grpc', versionArgs: ['--version'], expected: 'Version:' },
  { name: 'nydusd', versionArgs: ['--version'], expected: 'Version' },
  { name: 'nydus-image', versionArgs: ['--version'], expected: 'Version' },
] as const;

/** Programs from the distribution that a lab needs on PATH, with the Debian package that has each. */
export const labPrograms: Readonly<Record<string, string>> = {
  etcd: 'etcd-server',
  'docker-registry': 'docker-registry',
  runc: 'runc',
  ip: 'iproute2',
  tc: 'iproute2',
  iptables: 'iptables',
  openssl: 'openssl',
  nsenter: 'util-linux',
  unshare: 'util-linux',
};

/** Where the lab's binaries are looked for: the flag, `LAZYBENCH_LAB_BIN`, or the cache that `lab build` fills. */
export function labBinDirectory(flag: string | undefined): string {
  const cache = process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache');
  return path.resolve(flag ?? process.env['LAZYBENCH_LAB_BIN'] ?? path.join(cache, 'lazybench-lab/bin'));
}

/** Checks that every binary is there and has a version that the lab is made for. */
export async function checkBinaries(binDirectory: string, signal?: AbortSignal): Promise<void> {
  const problems = await Promise.all(
    labBinaries.map(async ({ name, versionArgs, expected }) => {
      const file = path.join(binDirectory, name);
      try {
        await access(file, constants.X_OK);
      } catch {
        return `${name} is missing`;
      }
      const { stdout, stderr } = await tryCommand([file, ...versionArgs], { signal });
      const said = `${stdout}\n${stderr}`;
      return said.includes(expected)
        ? undefined
        : `${name} is not ${expected}x but ${/\bv?\d+\.\d+\S*/u.exec(said)?.[0] ?? 'of an unknown version'}`;
    }),
  );
  const found = problems.filter((problem) => problem !== undefined);
  if (found.length > 0) {
    throw new HarnessError(
      'LAB_UNSUPPORTED',
      `the lab's binaries in ${binDirectory} do not fit: ${found.join('; ')}`,
      {
        hint: '`lazybench lab build` makes them; --bin-dir or LAZYBENCH_LAB_BIN names another directory.',
      },
    );
  }
}
