/** A taint, as core/v1 has it. */
export interface Taint {
  readonly key: string;
  readonly value: string | undefined;
  readonly effect: string;
}

/** What choosing a node needs to know about it. */
export interface NodeFacts {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  /** Condition Ready is True. */
  readonly isReady: boolean;
  /** `spec.unschedulable`: cordoned. */
  readonly isCordoned: boolean;
  /** Allocatable `nvidia.com/gpu`. */
  readonly gpus: number;
  readonly kubeletVersion: string;
  readonly containerRuntime: string;
}
