import { access, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { HarnessError } from '../errors/harness-error.ts';
import { runCommand as tryCommand } from '../image/run-command.ts';
import { labPrograms } from './lab-binaries.ts';
import type { LabLayout } from './lab-layout.ts';

/** Says in one sentence why this machine cannot hold a lab, before anything is started. */
export async function preflight(layout: LabLayout): Promise<void> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new HarnessError(
      'LAB_UNSUPPORTED',
      `a lab needs Linux on x86-64; this is ${process.platform} on ${process.arch}`,
    );
  }
  if (process.getuid?.() !== 0) {
    throw new HarnessError('LAB_UNSUPPORTED', 'a lab needs root: it makes network namespaces and mounts', {
      hint: 'Run it with sudo, or in a virtual machine of its own.',
    });
  }
  await checkKernel();
  await checkPrograms();
  if (layout.directory.length > 40) {
    throw new HarnessError(
      'LAB_UNSUPPORTED',
      `the lab's directory is too long (${layout.directory}): sockets live in it`,
      {
        hint: 'Use a path of at most 40 characters with --dir.',
      },
    );
  }
  checkSubnet(layout);
  await checkPort(layout.etcdPort, '127.0.0.1');
}

async function checkKernel(): Promise<void> {
  const fileSystems = await readFile('/proc/filesystems', 'utf8');
  for (const [name, module] of [
    ['overlay', 'overlay'],
    ['fuse', 'fuse'],
  ] as const) {
    if (new RegExp(`\\b${name}$`, 'mu').test(fileSystems)) continue;
    // Present as a module that nobody has loaded yet?
    await tryCommand(['modprobe', module]);
    if (!new RegExp(`\\b${name}$`, 'mu').test(await readFile('/proc/filesystems', 'utf8'))) {
      throw new HarnessError('LAB_UNSUPPORTED', `the kernel has no ${name} file system`);
    }
  }
  for (const file of ['/dev/fuse', '/proc/self/ns/net', '/proc/self/ns/mnt', '/proc/self/ns/pid']) {
    try {
      await access(file);
    } catch {
      throw new HarnessError('LAB_UNSUPPORTED', `the kernel or container lacks ${file}`);
    }
  }
}

async function checkPrograms(): Promise<void> {
  const missing: string[] = [];
  for (const [program, debianPackage] of Object.entries(labPrograms)) {
    const { exitCode } = await tryCommand(['sh', '-c', 'command -v "$1"', 'sh', program]);
    if (exitCode !== 0) missing.push(debianPackage);
  }
  try {
    await access('/usr/lib/cni/bridge');
  } catch {
    missing.push('containernetworking-plugins');
  }
  if (missing.length > 0) {
    throw new HarnessError('LAB_UNSUPPORTED', `programs are missing that a lab needs`, {
      hint: `apt-get install ${[...new Set(missing)].join(' ')}`,
    });
  }
}

function checkSubnet(layout: LabLayout): void {
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    const taken = addresses?.find((entry) => entry.address.startsWith(`${layout.subnetPrefix}.`));
    if (taken !== undefined) {
      throw new HarnessError(
        'LAB_UNSUPPORTED',
        `the subnet ${layout.subnetPrefix}.0/24 is taken by ${name} (${taken.address})`,
        {
          hint: 'Another lab? `lazybench lab status`. Else choose another with --subnet, e.g. --subnet 10.79.0',
        },
      );
    }
  }
}

function checkPort(port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (cause) =>
      reject(
        new HarnessError(
          'PORT_IN_USE',
          `port ${String(port)} on ${host} is in use; the lab's etcd needs it`,
          { cause },
        ),
      ),
    );
    probe.listen(port, host, () => probe.close(() => resolve()));
  });
}
