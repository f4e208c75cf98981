/** What the definition of an error code says. `exitCode` follows README, "Exit codes". */
export interface ErrorDefinition {
  readonly exitCode: 1 | 2 | 3 | 4 | 5;
  readonly hint?: string;
}

const usage = (hint?: string): ErrorDefinition => ({ exitCode: 2, ...(hint === undefined ? {} : { hint }) });
const incomplete = (hint?: string): ErrorDefinition => ({
  exitCode: 4,
  ...(hint === undefined ? {} : { hint }),
});
const environment = (hint?: string): ErrorDefinition => ({
  exitCode: 5,
  ...(hint === undefined ? {} : { hint }),
});

const table = {
  // Usage and scenario (2)
  USAGE: usage('Run the command with --help to see what it takes.'),
  SCENARIO_INVALID: usage('scenarios/schema.json describes every key; docs/scenarios.md has examples.'),
  SCENARIO_UNREADABLE: usage(),
  CLUSTER_UNKNOWN: usage('Known: embedded, or leave --cluster out to use the current kubeconfig context.'),
  IMAGE_REFERENCE_INVALID: usage(
    'Use registry/name:tag, registry/name@sha256:…, oci:DIR, oci-archive:FILE or docker-archive:FILE.',
  ),
  TRACE_INVALID: usage('docs/traces.md tells how a trace is recorded.'),
  RUN_DIRECTORY_INVALID: usage('Give a directory that `lazybench run` wrote (it holds run.json).'),
  // Images (2: the input is wrong; 5: the world is)
  IMAGE_NOT_FOUND: usage(
    'Check the name and the tag; `skopeo inspect` or a browser shows what the registry has.',
  ),
  IMAGE_UNSUPPORTED: usage(),
  IMAGE_CORRUPT: usage('The image is damaged at its source: copy or build it again.'),
  DIGEST_MISMATCH: usage('The bytes are not what the digest promises: copy or build the image again.'),
  LAYER_UNSAFE: usage('A well-formed layer has relative paths that stay inside the image: build it again.'),
  BOOTSTRAP_INVALID: usage('Convert the image again; `nydus-image check` gives a second opinion.'),
  CHUNK_MAP_INVALID: environment(
    'Remove the image from the node and pull it again: nydusd starts a new map.',
  ),
  REGISTRY_UNAUTHORIZED: environment(
    'Log in with `docker login` or `skopeo login`: lazybench reads that file.',
  ),
  REGISTRY_UNAVAILABLE: environment('Is the registry up, and is its name right?'),
  REGISTRY_RATE_LIMITED: environment('Wait as long as the registry asks, or log in for a higher limit.'),
  // Environment (5)
  CLUSTER_UNREACHABLE: environment(
    '`kubectl version` with the same context shows whether the cluster answers.',
  ),
  CLUSTER_REFUSED: environment('The API server says why; `lazybench plan --format json` shows what is sent.'),
  CLUSTER_CONFIG_INVALID: environment(
    '`kubectl config view` shows the configuration; --kubeconfig and --context choose.',
  ),
  CLUSTER_FORBIDDEN: environment('deploy/ has the role that grants it.'),
  NO_ELIGIBLE_NODE: environment('`lazybench plan` says for each node why it was refused.'),
  DISK_FULL: environment('Free some space, or point --out and TMPDIR at a larger disk.'),
  PORT_IN_USE: environment(),
  OUTPUT_UNWRITABLE: environment('Give a directory you may write to with --out.'),
  AGENT_UNAVAILABLE: environment(
    '`kubectl get pods -l app.kubernetes.io/name=lazybench-agent -A` shows the agents.',
  ),
  TOOL_MISSING: environment(),
  LAB_FAILED: environment(
    "`lazybench lab status` shows what runs; the logs are in the lab's directory under log/.",
  ),
  LAB_UNSUPPORTED: environment('docs/lab.md lists what a lab needs.'),
  LAB_EXISTS: environment('`lazybench lab down` removes it.'),
  LAB_MISSING: environment('`lazybench lab up` makes one.'),
  // Measurement (4)
  RUN_INCOMPLETE: incomplete(),
  RUN_INVALID: incomplete('The report lists every trial that did not count, and why.'),
  TRIAL_TIMED_OUT: incomplete('Raise workload.timeout if the workload really needs longer.'),
} as const satisfies Readonly<Record<string, ErrorDefinition>>;

/** Every code a user can meet. */
export type ErrorCode = keyof typeof table;

/** Code → exit code and default hint. */
export const definitions: Readonly<Record<ErrorCode, ErrorDefinition>> = table;
