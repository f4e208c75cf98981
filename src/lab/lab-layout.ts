import path from 'node:path';

/** One node of the lab: a network, mount and PID namespace that thinks it is a machine. */
export interface LabNodeLayout {
  /** 1-based. */
  readonly index: number;
  readonly name: string;
  readonly networkNamespace: string;
  /** The bridge's end of the node's link. */
  readonly hostLink: string;
  readonly address: string;
  readonly podSubnet: string;
  readonly directory: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly gpus: number;
}

/** Where everything of a lab is: folders, addresses, names. Derived from options alone. */
export interface LabLayout {
  readonly directory: string;
  readonly pkiDirectory: string;
  readonly logDirectory: string;
  readonly bridge: string;
  /** First three bytes of the lab's /24, e.g. `10.77.0`. */
  readonly subnetPrefix: string;
  readonly controlAddress: string;
  readonly apiPort: number;
  readonly registryPort: number;
  readonly etcdPort: number;
  readonly serviceSubnet: string;
  readonly nodes: readonly LabNodeLayout[];
}

/** Options that shape a lab's layout. */
export interface LabLayoutOptions {
  readonly directory: string;
  readonly nodes: number;
  readonly subnetPrefix?: string;
}

/** The default home of a lab. Short, because nydus-snapshotter refuses roots of over 70 characters. */
export const defaultLabDirectory = '/var/lib/lazybench-lab';

/** Most nodes a lab can have: addresses .11 to .19. */
export const mostLabNodes = 9;

/** CoreWeave's version label: the last node of a lab carries one that the seed rule refuses. */
const coreweaveVersion = (index: number, nodes: number): string =>
  nodes > 1 && index === nodes ? '1.19.1' : '1.21.0';

/** Lays out a lab. */
export function layOutLab(options: LabLayoutOptions): LabLayout {
  const subnetPrefix = options.subnetPrefix ?? '10.77.0';
  const nodes = Array.from({ length: options.nodes }, (_, zeroBased): LabNodeLayout => {
    const index = zeroBased + 1;
    return {
      index,
      name: `gpu-n${String(index)}`,
      networkNamespace: `lazybench-n${String(index)}`,
      hostLink: `lbveth${String(index)}`,
      address: `${subnetPrefix}.1${String(index)}`,
      podSubnet: `10.88.${String(index)}.0/24`,
      directory: path.join(options.directory, `n${String(index)}`),
      labels: {
        'nvidia.com/gpu.present': 'true',
        'nvidia.com/gpu.product': 'NVIDIA-H100-80GB-HBM3',
        'nvidia.com/gpu.count': '1',
        'gpu.nvidia.com/class': 'H100_NVLINK_80GB',
        'gpu.nvidia.com/model': 'H100_NVLINK_80GB',
        'node.coreweave.cloud/version': coreweaveVersion(index, options.nodes),
      },
      gpus: 1,
    };
  });
  return {
    directory: options.directory,
    pkiDirectory: path.join(options.directory, 'pki'),
    logDirectory: path.join(options.directory, 'log'),
    bridge: 'lazybench0',
    subnetPrefix,
    controlAddress: `${subnetPrefix}.1`,
    apiPort: 6443,
    registryPort: 5000,
    etcdPort: 12379,
    serviceSubnet: '10.96.0.0/16',
    nodes,
  };
}

/** `host:port` of the lab's registry, as nodes and image references name it. */
export function labRegistryAddress(layout: LabLayout): string {
  return `${layout.controlAddress}:${String(layout.registryPort)}`;
}
