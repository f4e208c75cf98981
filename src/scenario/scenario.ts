/** One required node-affinity expression, as Kubernetes writes it (`matchExpressions`), under the name people use. */
export interface EligibilityRule {
  readonly label: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt';
  readonly values: readonly string[];
}

/** The workload's own sign that it is ready; never the pod's condition unless asked for. */
export type ReadySign =
  | { readonly kind: 'log'; readonly pattern: string }
  | { readonly kind: 'http'; readonly port: number; readonly path: string }
  | { readonly kind: 'probe' };

/** What nydusd is told to fetch ahead of the reads: nothing, everything, or a list of files. */
export type Prefetch =
  { readonly kind: 'off' } | { readonly kind: 'all' } | { readonly kind: 'list'; readonly file: string };

/** An image reference plus how it is pulled. */
export interface Arm {
  readonly name: string;
  /** Registry reference, `oci:DIR`, `oci-archive:FILE` or `docker-archive:FILE` (the last three: embedded and lab). */
  readonly image: string;
  readonly runtimeClass: string | undefined;
  /** What the proofs must show: `lazy` = one RAFS lower directory; `eager` = unpacked layers. */
  readonly expect: 'lazy' | 'eager';
  /** `builtin`: make the Nydus image from `image` with the built-in converter before the run. */
  readonly convert: 'builtin' | undefined;
  readonly prefetch: Prefetch;
}

/** Cache state that every trial starts from. */
export type CacheState = 'cold' | 'layer-warm' | 'warm';

/** When a run may stop before `max` pairs: the interval of the effect on `metric` is within ± `halfWidth` (ratio). */
export interface StoppingTarget {
  readonly metric: Metric;
  /** Relative half width: 0.05 = ±5 %. */
  readonly halfWidth: number;
}

/** The durations that are compared, by the name they have in files and reports. */
export const metrics = ['timeToReady', 'pull', 'create', 'startToReady'] as const;
export type Metric = (typeof metrics)[number];

/** A shaped link between node and registry (embedded cluster and lab). */
export interface Link {
  readonly rateBytesPerSecond: number;
  /** One-way latency added in each direction. */
  readonly latencyMs: number;
  /** Connections that may be open at once; more wait. */
  readonly maxConnections: number;
}

/** A scenario after parsing: units resolved, defaults applied, every arm complete. */
export interface Scenario {
  readonly name: string;
  readonly description: string | undefined;
  readonly nodes: {
    readonly selector: Readonly<Record<string, string>>;
    readonly eligibility: readonly EligibilityRule[];
    readonly count: number;
  };
  readonly workload: {
    readonly command: readonly string[] | undefined;
    readonly args: readonly string[] | undefined;
    readonly env: Readonly<Record<string, string>>;
    /** GPUs requested per pod (0 = none). */
    readonly gpu: number;
    readonly ready: ReadySign;
    readonly timeoutMs: number;
    /** How long after ready the traffic is watched before the last sample. */
    readonly settleMs: number;
    /** Recorded accesses that the embedded node replays: a file beside the scenario, or `all-files`. */
    readonly trace: string | undefined;
  };
  readonly arms: readonly Arm[];
  readonly baseline: string;
  readonly cache: CacheState;
  readonly pairs: {
    readonly min: number;
    readonly max: number;
    readonly target: StoppingTarget | undefined;
  };
  readonly link: Link | undefined;
  readonly seed: number;
}
