import { podEvents, type KubeEvent } from './kube-event.ts';
import { parsePodStatus, type PodStatus } from './pod-status.ts';
import type { RawEvidence } from './raw-evidence.ts';

/** A failure that was recognised: its name, the cluster's own words, what to try. */
export interface Failure {
  readonly reason: string;
  readonly message: string;
  readonly hint: string;
  /** Waiting longer will not help; otherwise the trial goes on until its time-out. */
  readonly isFinal: boolean;
}

/** What a row of the table looks at: the newest status and all events so far. */
interface PodFacts {
  readonly events: readonly KubeEvent[];
  readonly status: PodStatus | undefined;
}

/** One kind of failure. Rows are tried in order, the particular before the general. */
interface FailureRow {
  readonly reason: string;
  readonly isFinal: boolean;
  /** The cluster's words when this is the failure; undefined when it is not. */
  readonly find: (facts: PodFacts) => string | undefined;
  readonly hint: (message: string) => string;
}

const failedEvents = ({ events }: PodFacts): readonly KubeEvent[] =>
  events.filter(({ reason }) => reason === 'Failed' || reason === 'ErrImageNeverPull');

/** Message of the first Failed event or of the waiting state that matches. */
const failedWith = (pattern: RegExp) => (facts: PodFacts) =>
  [...failedEvents(facts).map(({ message }) => message), facts.status?.waiting?.message].find(
    (message) => message !== undefined && pattern.test(message),
  );

const waitingFor =
  (...reasons: readonly string[]) =>
  ({ status }: PodFacts): string | undefined =>
    status?.waiting !== undefined && reasons.includes(status.waiting.reason)
      ? status.waiting.message || status.waiting.reason
      : undefined;

/** An image pull failed with these words of the registry or the runtime. */
const pullFailed = (pattern: RegExp) => (facts: PodFacts) => {
  const message = failedWith(/Failed to pull image|Back-off pulling image|failed to pull/iu)(facts);
  return message !== undefined && pattern.test(message) ? message : undefined;
};

const ended = (facts: PodFacts): PodStatus['terminated'] => facts.status?.terminated;

const rows: readonly FailureRow[] = [
  {
    reason: 'NoProcessorForMediaType',
    isFinal: true,
    find: failedWith(/no processor for media-type/iu),
    hint: () =>
      'A Nydus image was pulled without the nydus snapshotter: give the arm the runtimeClass that selects it.',
  },
  {
    reason: 'ImageUnauthorized',
    isFinal: true,
    find: pullFailed(/\b401\b|\b403\b|unauthorized|authorization failed|denied/iu),
    hint: () => 'The node may not pull this image: check the name, or give the namespace a pull secret.',
  },
  {
    reason: 'ImageNotFound',
    isFinal: true,
    find: pullFailed(/\b404\b|not found|manifest unknown|name unknown/iu),
    hint: () => 'Check the arm’s image name and tag.',
  },
  {
    reason: 'RegistryRateLimited',
    isFinal: true,
    find: pullFailed(/\b429\b|too ?many ?requests|toomanyrequests/iu),
    hint: () => 'Wait as long as the registry asks, mirror the image, or log in for a higher limit.',
  },
  {
    reason: 'ImageCorrupt',
    isFinal: true,
    find: pullFailed(/digest|checksum|unexpected EOF|failed size validation|corrupt/iu),
    hint: () => 'What arrived is not what the digest promises: copy or build the image again.',
  },
  {
    reason: 'ErrImagePull',
    isFinal: true,
    find: (facts) =>
      pullFailed(/./u)(facts) ?? waitingFor('ErrImagePull', 'ImagePullBackOff', 'ErrImageNeverPull')(facts),
    hint: () =>
      'The message is the registry’s or the runtime’s own; pulling by hand on the node shows the same.',
  },
  {
    reason: 'InvalidImageName',
    isFinal: true,
    find: waitingFor('InvalidImageName'),
    hint: () => 'Check the arm’s image reference.',
  },
  {
    reason: 'Unschedulable',
    isFinal: false,
    find: ({ status, events }) => {
      const condition = status?.conditions.find(
        ({ type, status: state, reason }) =>
          type === 'PodScheduled' && state === 'False' && reason === 'Unschedulable',
      );
      if (condition !== undefined) return condition.message;
      const isScheduled = events.some(({ reason }) => reason === 'Scheduled');
      return isScheduled
        ? undefined
        : events.findLast(({ reason }) => reason === 'FailedScheduling')?.message;
    },
    hint: (message) => unschedulableHint(message),
  },
  {
    reason: 'CreateContainerError',
    isFinal: true,
    find: waitingFor('CreateContainerError', 'CreateContainerConfigError', 'RunContainerError'),
    hint: (message) =>
      /nydus|rafs|snapshot|mount/iu.test(message)
        ? 'The root file system could not be made: is the snapshotter running, and is its log clean?'
        : 'Check the scenario’s command: it must exist in the image.',
  },
  {
    reason: 'FailedCreatePodSandBox',
    isFinal: false,
    find: ({ events }) => events.findLast(({ reason }) => reason === 'FailedCreatePodSandBox')?.message,
    hint: (message) =>
      /runtime|handler/iu.test(message)
        ? 'The node has no handler for the arm’s runtimeClass.'
        : 'The node’s network or runtime refused the pod; `kubectl describe pod` has the rest.',
  },
  {
    reason: 'OOMKilled',
    isFinal: true,
    find: (facts) =>
      ended(facts)?.reason === 'OOMKilled' ? 'the container was killed for memory' : undefined,
    hint: () => 'Raise the memory limit: it must be the same in all arms.',
  },
  {
    reason: 'Evicted',
    isFinal: true,
    find: ({ status }) => (status?.reason === 'Evicted' ? status.message : undefined),
    hint: () => 'The node ran short of disk or memory and removed the pod.',
  },
  {
    reason: 'CrashedBeforeReady',
    isFinal: true,
    find: (facts) => {
      const end = ended(facts);
      if (end === undefined) return waitingFor('CrashLoopBackOff')(facts);
      const code = end.exitCode === undefined ? 'an unknown code' : `code ${String(end.exitCode)}`;
      return `the program ended with ${code} (${end.reason || 'no reason given'}) before its sign of readiness${end.message === '' ? '' : `: ${end.message}`}`;
    },
    hint: () => 'The evidence file holds the program’s last lines. Does workload.ready fit what it prints?',
  },
];

/**
 * Recognises why a pod does not become ready from what the cluster says about it. Undefined while nothing is wrong.
 * Meant for a trial that is *not* ready: a program that ended after its sign is no failure.
 */
export function recogniseFailure(raw: Pick<RawEvidence, 'events' | 'statuses' | 'pod'>): Failure | undefined {
  const facts: PodFacts = {
    events: podEvents(raw.events, raw.pod.uid),
    status: parsePodStatus(raw.statuses.at(-1)?.status),
  };
  for (const { reason, isFinal, find, hint } of rows) {
    const message = find(facts);
    if (message !== undefined) return { reason, message, hint: hint(message), isFinal };
  }
  return undefined;
}

/** Which rule kept the pod away, from the scheduler's own words (kube-scheduler's framework messages). */
const unschedulableHint = (message: string): string => {
  const rules: readonly (readonly [RegExp, string])[] = [
    [/Insufficient ([\w./-]+)/u, 'no node has enough $1 left: wait for other pods, or ask for less'],
    [/untolerated taint \{?([^}]*)\}?/u, 'a taint keeps it away: $1'],
    [/node affinity|node selector/u, 'nodes.selector or nodes.eligibility matches no node'],
    [/were unschedulable/u, 'the node is cordoned'],
    [/not ready|not-ready/iu, 'the node is not ready'],
  ];
  const found = rules.flatMap(([pattern, text]) => {
    const match = pattern.exec(message);
    return match === null ? [] : [text.replace('$1', match[1] ?? '')];
  });
  return found.length === 0
    ? '`lazybench plan` says for each node why it was refused.'
    : `In the scheduler’s words, ${found.join('; ')}.`;
};
