import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { labRegistryAddress, type LabLayout, type LabNodeLayout } from './lab-layout.ts';
import {
  cniConfig,
  containerdConfig,
  kubeletConfig,
  nodeMounts,
  nodeStartScript,
  nydusdTemplate,
  registryHostsConfig,
  snapshotterConfig,
  type NydusdOptions,
} from './node-config.ts';
import type { ProcessTable } from './process-table.ts';

/** Writes a node's configuration and starts it in namespaces of its own. */
export async function startNode(
  layout: LabLayout,
  node: LabNodeLayout,
  binDirectory: string,
  nydusd: NydusdOptions,
  processes: ProcessTable,
): Promise<void> {
  const inNode = (...parts: string[]): string => path.join(node.directory, ...parts);
  for (const folder of Object.keys(nodeMounts)) await mkdir(inNode(folder), { recursive: true });
  const registryHosts = inNode('etccontainerd/certs.d', labRegistryAddress(layout));
  await mkdir(registryHosts, { recursive: true });

  // nydusd raises RLIMIT_NOFILE to 1,000,000 unless told not to, and exits where the hard limit is lower.
  const wrapper = inNode('nydusd');
  await writeFile(wrapper, `#!/bin/sh\nexec ${path.join(binDirectory, 'nydusd')} "$@" --rlimit-nofile 0\n`, {
    mode: 0o755,
  });
  await writeFile(inNode('etccni/10-lab.conflist'), cniConfig(node));
  await writeFile(path.join(registryHosts, 'hosts.toml'), registryHostsConfig(layout));
  await writeFile(inNode('etccontainerd/config.toml'), containerdConfig(layout));
  await writeFile(
    inNode('etcnydus/config.toml'),
    snapshotterConfig({ nydusd: wrapper, nydusImage: path.join(binDirectory, 'nydus-image') }),
  );
  await writeFile(inNode('etcnydus/nydusd-config.fusedev.json'), nydusdTemplate(nydusd));
  await writeFile(inNode('kubelet.json'), kubeletConfig(layout, node));
  await writeFile(inNode('start.sh'), nodeStartScript(layout, node, binDirectory), { mode: 0o755 });

  // nsenter, not `ip netns exec`: that remounts /sys and hides cgroup v1 ("failed to find cgroup mounts").
  // The PID namespace dies with its first process, and kubelet, containerd, shims, nydusd and pods with it.
  await processes.start(node.name, [
    'nsenter',
    `--net=/run/netns/${node.networkNamespace}`,
    'unshare',
    '--mount',
    '--pid',
    '--fork',
    '--kill-child=KILL',
    '--mount-proc',
    'bash',
    inNode('start.sh'),
  ]);
}
