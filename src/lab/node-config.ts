import type { LabLayout, LabNodeLayout } from './lab-layout.ts';
import { labRegistryAddress } from './lab-layout.ts';

/** RuntimeClass handler whose pods get the nydus snapshotter. */
export const nydusHandler = 'runc-nydus';

/** What nydusd on the lab's nodes is told; written into its template before its daemons start. */
export interface NydusdOptions {
  readonly prefetch: 'off' | 'all' | 'list';
  /** Bytes that one on-demand read is widened to; nydusd 2.2 knows 128 KiB only, newer ones obey. */
  readonly amplifyIoBytes: number;
}

/** The CNI network of one node: a bridge with addresses from the node's own pod subnet. */
export function cniConfig(node: LabNodeLayout): string {
  return json({
    cniVersion: '0.4.0',
    name: 'lazybench-lab',
    plugins: [
      {
        type: 'bridge',
        bridge: 'cni0',
        isGateway: true,
        ipMasq: false,
        ipam: {
          type: 'host-local',
          ranges: [[{ subnet: node.podSubnet }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  });
}

/** containerd's hosts.toml: the lab's registry speaks plain HTTP inside the lab. */
export function registryHostsConfig(layout: LabLayout): string {
  const url = `http://${labRegistryAddress(layout)}`;
  return `server = "${url}"\n[host."${url}"]\n  capabilities = ["pull", "resolve"]\n`;
}

/**
 * containerd 2.x (config version 3): overlayfs by default, the nydus snapshotter for one handler.
 * `disable_snapshot_annotations = false` makes both arms pull with the same engine (local pull), see
 * containerd docs/cri/config.md; restrict_oom_score_adj because the lab may lack CAP_SYS_RESOURCE.
 */
export function containerdConfig(layout: LabLayout): string {
  return `version = 3
[proxy_plugins.nydus]
  type = "snapshot"
  address = "/run/containerd-nydus/containerd-nydus-grpc.sock"
[plugins.'io.containerd.cri.v1.images']
  snapshotter = "overlayfs"
  disable_snapshot_annotations = false
  discard_unpacked_layers = false
  [plugins.'io.containerd.cri.v1.images'.pinned_images]
    sandbox = "${labRegistryAddress(layout)}/pause:lab"
  [plugins.'io.containerd.cri.v1.images'.registry]
    config_path = "/etc/containerd/certs.d"
  [plugins.'io.containerd.cri.v1.images'.runtime_platforms.${nydusHandler}]
    platform = "linux/amd64"
    snapshotter = "nydus"
[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = true
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ["/usr/lib/cni"]
    conf_dir = "/etc/cni/net.d"
  [plugins.'io.containerd.cri.v1.runtime'.containerd]
    default_runtime_name = "runc"
    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.${nydusHandler}]
      runtime_type = "io.containerd.runc.v2"
      snapshotter = "nydus"
`;
}

/** nydus-snapshotter: one nydusd per image (dedicated mode), removals done at once. */
export function snapshotterConfig(paths: { readonly nydusd: string; readonly nydusImage: string }): string {
  return `version = 1
root = "/var/lib/containerd/io.containerd.snapshotter.v1.nydus"
address = "/run/containerd-nydus/containerd-nydus-grpc.sock"
daemon_mode = "dedicated"
cleanup_on_close = false
[system]
enable = true
address = "/run/containerd-nydus/system.sock"
[daemon]
nydusd_path = "${paths.nydusd}"
nydusimage_path = "${paths.nydusImage}"
nydusd_config = "/etc/nydus/nydusd-config.fusedev.json"
recover_policy = "restart"
fs_driver = "fusedev"
threads_number = 4
[snapshot]
enable_nydus_overlayfs = false
sync_remove = true
[remote]
skip_ssl_verify = true
[cache_manager]
disable = false
gc_period = "24h"
cache_dir = ""
[log]
log_to_stdout = true
level = "info"
`;
}

/** nydusd's template (legacy JSON, what the snapshotter parses and completes). */
export function nydusdTemplate(options: NydusdOptions): string {
  return json({
    device: {
      backend: {
        type: 'registry',
        config: { scheme: 'http', skip_verify: true, timeout: 5, connect_timeout: 5, retry_limit: 4 },
      },
      cache: { type: 'blobcache', config: { work_dir: 'cache' } },
    },
    mode: 'direct',
    digest_validate: false,
    iostats_files: true,
    access_pattern: true,
    latest_read_files: true,
    enable_xattr: true,
    amplify_io: options.amplifyIoBytes,
    fs_prefetch: {
      enable: options.prefetch !== 'off',
      threads_count: 8,
      merging_size: 1_048_576,
      prefetch_all: options.prefetch === 'all',
    },
  });
}

/** kubelet: cgroup v1 or v2, image pulls in parallel, no eviction, the runtime handler told to the image service. */
export function kubeletConfig(layout: LabLayout, node: LabNodeLayout): string {
  return json({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: `${layout.pkiDirectory}/ca.crt` },
    },
    authorization: { mode: 'Webhook' },
    cgroupDriver: 'cgroupfs',
    // Without this gate the pull goes to the default snapshotter and ends in "no processor for media-type".
    featureGates: { RuntimeClassInImageCriApi: true },
    cgroupRoot: `/`,
    cgroupsPerQOS: false,
    enforceNodeAllocatable: [],
    failSwapOn: false,
    failCgroupV1: false,
    tlsCertFile: `${layout.pkiDirectory}/${node.name}.crt`,
    tlsPrivateKeyFile: `${layout.pkiDirectory}/${node.name}.key`,
    containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
    clusterDomain: 'cluster.local',
    resolvConf: '',
    serializeImagePulls: false,
    maxParallelImagePulls: 4,
    evictionHard: { 'nodefs.available': '1%', 'imagefs.available': '1%', 'memory.available': '100Mi' },
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    nodeStatusUpdateFrequency: '5s',
  });
}

/** Folders that a node has for itself, and where they are mounted in its mount namespace. */
export const nodeMounts: Readonly<Record<string, string>> = {
  kubelet: '/var/lib/kubelet',
  containerd: '/var/lib/containerd',
  podlogs: '/var/log/pods',
  containerlogs: '/var/log/containers',
  etccni: '/etc/cni/net.d',
  varcni: '/var/lib/cni',
  etccontainerd: '/etc/containerd',
  etcnydus: '/etc/nydus',
};

/**
 * The first process of a node: gives the namespaces their own folders, starts snapshotter and containerd, waits
 * until containerd answers (kubelet exits otherwise: "server is not initialized yet") and becomes the kubelet.
 */
export function nodeStartScript(layout: LabLayout, node: LabNodeLayout, binDirectory: string): string {
  const binds = Object.entries(nodeMounts)
    .map(([folder, target]) => `mkdir -p ${target}; mount --bind ${node.directory}/${folder} ${target}`)
    .join('\n');
  const labels = Object.entries(node.labels)
    .map(([label, value]) => `${label}=${value}`)
    .join(',');
  const log = (name: string): string => `${layout.logDirectory}/${node.name}-${name}.log`;
  return `#!/bin/bash
set -e
mount --make-rprivate /
${binds}
for d in /run/containerd /run/netns /run/containerd-nydus /run/runc; do mkdir -p $d; mount -t tmpfs tmpfs $d; done
mount --make-rshared /
export PATH=${binDirectory}:$PATH
containerd-nydus-grpc --config /etc/nydus/config.toml > ${log('snapshotter')} 2>&1 &
for i in $(seq 100); do [ -S /run/containerd-nydus/containerd-nydus-grpc.sock ] && break; sleep 0.1; done
containerd > ${log('containerd')} 2>&1 &
for i in $(seq 300); do ctr version > /dev/null 2>&1 && ctr plugins ls 2>/dev/null | grep -q 'grpc.v1 *cri .*ok' && break; sleep 0.1; done
exec kubelet --config ${node.directory}/kubelet.json --kubeconfig ${layout.pkiDirectory}/${node.name}.kubeconfig \\
  --hostname-override ${node.name} --node-ip ${node.address} --node-labels '${labels}' \\
  --register-with-taints=nvidia.com/gpu=present:NoSchedule -v 2
`;
}

const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;
