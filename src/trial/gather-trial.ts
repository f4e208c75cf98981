import { HarnessError } from '../errors/harness-error.ts';
import { marks, type RawEvidence } from '../evidence/raw-evidence.ts';
import { podManifest, type PodManifest } from '../scenario/pod-manifest.ts';
import { AgentReadings } from './agent-readings.ts';
import { awaitReady } from './await-ready.ts';
import { PodObservation } from './observe-pod.ts';
import { prepareCache } from './prepare-cache.ts';
import type { TrialContext } from './trial-context.ts';

/** What one trial gave. `fatal`: why going on to the next trial makes no sense. */
export interface GatheredTrial {
  readonly raw: RawEvidence;
  readonly fatal: HarnessError | undefined;
}

type Draft = { -readonly [Key in keyof RawEvidence]: RawEvidence[Key] };

/** Events that a started pod has; kubelet may send them half a minute late. */
const expectedReasons = ['Scheduled', 'Created', 'Started'];
const lateEventsMs = 30_000;
const lateEventsPollMs = 500;
const cleanUpLimitMs = 150_000;

/**
 * One trial, from making cold to the deleted pod (design: "One trial"). Only gathers: nothing is judged here. Always
 * resolves with what there is, also when `signal` aborts midway (the pod is deleted all the same) or the cluster goes
 * away (then with `fatal`). Bugs reject.
 */
export async function gatherTrial(context: TrialContext, signal: AbortSignal): Promise<GatheredTrial> {
  const { cluster, clock, node, arm, trial, scenario } = context;
  const readings = new AgentReadings(context.agent, clock, node.name);
  const manifest = podManifest({
    runId: context.runId,
    namespace: cluster.namespace,
    scenario,
    trial,
    arm,
    image: context.imageOf(arm.name),
    node,
  });
  const { name, namespace } = manifest.metadata;
  const draft: Draft = {
    schemaVersion: 1,
    trial: trial.id,
    arm: arm.name,
    node: node.name,
    pod: { name, namespace },
    manifest: { ...manifest },
    events: [],
    statuses: [],
    lines: [],
    clock: { before: [], after: [] },
    watchGaps: [],
    counters: [],
    imagesBefore: [],
    end: { kind: 'interrupted' },
    missing: readings.missing,
  };
  let fatal: HarnessError | undefined;
  const pods: string[] = [];
  try {
    await measure(context, { draft, readings, manifest, pods }, signal);
  } catch (error) {
    if (!signal.aborted) {
      if (!(error instanceof HarnessError)) throw error;
      draft.end = { kind: 'failed', reason: error.code, message: error.message, ...hintOf(error) };
      fatal = isTheTrialsOwn(error) ? undefined : error;
    }
  } finally {
    context.onPhase('deleting');
    fatal = (await cleanUp(context, pods, draft)) ?? fatal;
  }
  draft.counters = readings.counters.toSorted((a, b) => marks.indexOf(a.mark) - marks.indexOf(b.mark));
  return { raw: draft, fatal };
}

const hintOf = ({ hint }: HarnessError): { hint?: string } => (hint === undefined ? {} : { hint });

/** The API server refused this very pod, or this image could not be warmed: other arms may do better. */
const isTheTrialsOwn = ({ code }: HarnessError): boolean =>
  code === 'CLUSTER_REFUSED' || code === 'RUN_INVALID';

interface Measurement {
  readonly draft: Draft;
  readonly readings: AgentReadings;
  readonly manifest: PodManifest;
  /** Pods that exist and must go. */
  readonly pods: string[];
}

async function measure(context: TrialContext, measurement: Measurement, signal: AbortSignal): Promise<void> {
  const { cluster, clock, scenario } = context;
  const { draft, readings, manifest, pods } = measurement;
  const image = context.imageOf(context.arm.name);

  const { eviction, holder } = await prepareCache(context, readings, signal);
  if (holder !== undefined) pods.push(holder);
  if (eviction !== undefined) draft.eviction = eviction;

  context.onPhase('submitting');
  const before = await readings.attempt('image', signal, (agent) => agent.image(image, signal));
  draft.imagesBefore = before === undefined ? [] : [before];
  draft.clock.before = [...(await readings.clock(signal))];
  await using observation = await PodObservation.open(cluster, manifest.metadata.name, signal);
  // What earlier trials and the eviction caused is not this trial's.
  await context.meter?.read();
  await readings.count('before', undefined, signal);

  pods.push(manifest.metadata.name);
  let uid: string | undefined;
  let firstLog: Promise<void> | undefined;
  try {
    const sentNs = String(clock.wallNs());
    const created = await cluster.createPod(manifest, signal);
    draft.submit = { sentNs, acceptedNs: String(clock.wallNs()) };
    uid = created.metadata.uid;
    observation.uid = uid;
    draft.pod = { ...draft.pod, uid };

    const waited = await awaitReady(context, { name: draft.pod.name, observation }, signal, () => {
      firstLog = readings.count('firstLog', uid, signal);
    });
    if (waited.end.kind === 'ready') {
      await Promise.all([firstLog, readings.count('ready', uid, signal)]);
      context.onPhase('settling');
      await clock.sleep(scenario.workload.settleMs, signal);
      await readings.count('settled', uid, signal);
    }
    await firstLog;
    // Only now: an abort before this point is an interruption, whatever was seen.
    draft.end = waited.end;
    if (waited.ready !== undefined) draft.ready = waited.ready;
    const onNode = await readings.attempt('mounts', signal, (agent) =>
      agent.pod(created.metadata.uid, signal),
    );
    if (onNode !== undefined) draft.podOnNode = onNode;
    await readings.count('end', uid, signal);
    draft.clock.after = [...(await readings.clock(signal))];
    await lateEvents(context, observation, draft.end.kind === 'ready', signal);
  } finally {
    await firstLog?.catch(() => undefined);
    const { events, statuses, lines, watchGaps } = observation;
    Object.assign(draft, { events, statuses, lines, watchGaps });
    if (context.meter !== undefined) draft.meter = [...(await context.meter.read())];
  }
}

/** Lists events that no watch has brought; a ready pod's are waited for, because kubelet queues them. */
async function lateEvents(
  context: TrialContext,
  observation: PodObservation,
  isReady: boolean,
  signal: AbortSignal,
): Promise<void> {
  const { clock } = context;
  const startedNs = clock.monotonicNs();
  for (;;) {
    await observation.reconcileEvents(signal);
    const isComplete = expectedReasons.every((reason) => observation.reasons.includes(reason));
    const waitedMs = Number(clock.monotonicNs() - startedNs) / 1e6;
    if (!isReady || isComplete || waitedMs > lateEventsMs) return;
    await clock.sleep(lateEventsPollMs, signal);
  }
}

/** Deletes the trial's pods, interrupted or not, and says when the measured one was gone. */
async function cleanUp(
  context: TrialContext,
  pods: readonly string[],
  draft: Draft,
): Promise<HarnessError | undefined> {
  let failure: HarnessError | undefined;
  for (const pod of pods.toReversed()) {
    try {
      await context.cluster.deletePod(pod, AbortSignal.timeout(cleanUpLimitMs));
      if (pod === draft.pod.name) draft.deletedNs = String(context.clock.wallNs());
    } catch (error) {
      if (!(error instanceof HarnessError)) throw error;
      draft.missing.push(`pod ${pod} could not be deleted: ${error.message}`);
      failure ??= error;
    }
  }
  return failure;
}
