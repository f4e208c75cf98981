import type { JsonObject } from '../api/json.ts';
import type { NewObject } from '../api/object-store.ts';
import { secondsText } from '../api/rfc3339.ts';
import { kubernetesVersion } from '../api/discovery.ts';

/** What a node says about itself. */
export interface NodeDescription {
  readonly name: string;
  /** Added to the labels every node has. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly { readonly key: string; readonly value?: string; readonly effect: string }[];
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly gpus?: number;
  /** Default 110, as in Kubernetes. */
  readonly maxPods?: number;
  /** Names by which a RuntimeClass may ask for a runtime; the default one needs no name. */
  readonly runtimeHandlers?: readonly string[];
  readonly internalIp: string;
  /** A /24, the addresses of its pods, e.g. `10.244.1.0/24`. */
  readonly podCidr: string;
  readonly osImage: string;
  readonly kernelVersion: string;
  readonly architecture: 'amd64' | 'arm64';
  /** E.g. `lazybench-embedded://0.1.0`. */
  readonly containerRuntimeVersion: string;
}

const healthy = [
  ['MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
  ['DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
  ['PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
  ['Ready', 'True', 'KubeletReady', 'kubelet is posting ready status'],
] as const;

/** The Node object that a kubelet registers. */
export function nodeObject(node: NodeDescription, nowNs: bigint): NewObject {
  const now = secondsText(nowNs);
  const amounts: JsonObject = {
    cpu: String(node.cpus),
    'ephemeral-storage': `${Math.floor(node.diskBytes / 1024)}Ki`,
    memory: `${Math.floor(node.memoryBytes / 1024)}Ki`,
    pods: String(node.maxPods ?? 110),
    ...(node.gpus === undefined ? {} : { 'nvidia.com/gpu': String(node.gpus) }),
  };
  return {
    metadata: {
      name: node.name,
      labels: {
        'beta.kubernetes.io/arch': node.architecture,
        'beta.kubernetes.io/os': 'linux',
        'kubernetes.io/arch': node.architecture,
        'kubernetes.io/hostname': node.name,
        'kubernetes.io/os': 'linux',
        ...node.labels,
      },
      annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' },
    },
    spec: {
      podCIDR: node.podCidr,
      podCIDRs: [node.podCidr],
      ...(node.taints === undefined || node.taints.length === 0
        ? {}
        : { taints: node.taints.map(({ key, value, effect }) => ({ key, value, effect })) }),
    },
    status: {
      capacity: amounts,
      allocatable: amounts,
      conditions: healthy.map(([type, status, reason, message]) => ({
        type,
        status,
        lastHeartbeatTime: now,
        lastTransitionTime: now,
        reason,
        message,
      })),
      addresses: [
        { type: 'InternalIP', address: node.internalIp },
        { type: 'Hostname', address: node.name },
      ],
      daemonEndpoints: { kubeletEndpoint: { Port: 10_250 } },
      nodeInfo: {
        machineID: '',
        systemUUID: '',
        bootID: '',
        kernelVersion: node.kernelVersion,
        osImage: node.osImage,
        containerRuntimeVersion: node.containerRuntimeVersion,
        kubeletVersion: kubernetesVersion,
        kubeProxyVersion: '',
        operatingSystem: 'linux',
        architecture: node.architecture,
      },
      images: [],
      runtimeHandlers: ['', ...(node.runtimeHandlers ?? [])].map((name) => ({
        name,
        features: { recursiveReadOnlyMounts: false, userNamespaces: false },
      })),
    },
  };
}
