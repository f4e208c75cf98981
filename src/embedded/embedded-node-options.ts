import os from 'node:os';
import { nydusHandler } from './engine/node-image.ts';
import type { NodeDescription } from './kubelet/node-object.ts';

/** One node of an embedded cluster. */
export interface EmbeddedNodeOptions {
  readonly name: string;
  /** Added to the default labels, or replacing them. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Default: what NVIDIA's GPU operator and most providers put on GPU nodes. */
  readonly taints?: NodeDescription['taints'];
  /** Default 8. */
  readonly gpus?: number;
}

/** Labels that GPU feature discovery puts on an H100 node, and CoreWeave's node image version. */
const gpuLabels = (gpus: number): Readonly<Record<string, string>> => ({
  'nvidia.com/gpu.present': 'true',
  'nvidia.com/gpu.product': 'NVIDIA-H100-80GB-HBM3',
  'nvidia.com/gpu.family': 'hopper',
  'nvidia.com/gpu.count': String(gpus),
  'nvidia.com/gpu.memory': '81559',
  'nvidia.com/gpu.compute.major': '9',
  'nvidia.com/gpu.compute.minor': '0',
  'nvidia.com/mig.strategy': 'none',
});

/**
 * What an embedded node says about itself: a GPU node by its labels, taint and capacity, so that scenarios written
 * for one run here unchanged; and what it really is by operating system, kernel and runtime.
 */
export function describeNode(node: EmbeddedNodeOptions, index: number, version: string): NodeDescription {
  const gpus = node.gpus ?? 8;
  return {
    name: node.name,
    labels: {
      ...(gpus === 0 ? {} : gpuLabels(gpus)),
      'node.coreweave.cloud/version': '1.21.0',
      'node.kubernetes.io/instance-type': 'lazybench-embedded',
      ...node.labels,
    },
    taints:
      node.taints ?? (gpus === 0 ? [] : [{ key: 'nvidia.com/gpu', value: 'present', effect: 'NoSchedule' }]),
    gpus,
    // Requests of pods written for GPU nodes must fit; nothing is reserved or limited here.
    cpus: 128,
    memoryBytes: 1024 * 2 ** 30,
    diskBytes: 1024 * 2 ** 30,
    runtimeHandlers: ['runc', nydusHandler],
    internalIp: `10.240.${String(Math.floor(index / 250))}.${String((index % 250) + 1)}`,
    podCidr: `10.244.${String(index)}.0/24`,
    osImage: `lazybench embedded node on ${os.type()}`,
    kernelVersion: os.release(),
    architecture: os.arch() === 'arm64' ? 'arm64' : 'amd64',
    containerRuntimeVersion: `lazybench-embedded://${version}`,
  };
}
