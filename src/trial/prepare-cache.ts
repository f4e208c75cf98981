import type { EvictReply } from '../agent/protocol.ts';
import { HarnessError } from '../errors/harness-error.ts';
import { podManifest, podName } from '../scenario/pod-manifest.ts';
import type { AgentReadings } from './agent-readings.ts';
import { awaitReady } from './await-ready.ts';
import { PodObservation } from './observe-pod.ts';
import type { TrialContext } from './trial-context.ts';

/** What was done to reach the cache state, and what must go again after the trial. */
export interface PreparedCache {
  readonly eviction: EvictReply | undefined;
  /** Pod that keeps the layers on the node while the trial runs. */
  readonly holder: string | undefined;
}

/** Kubelet takes up to 20 s to remove a dead container, the snapshotter its time to empty the cache. */
const evictionLimitMs = 120_000;
const evictionPauseMs = 500;
const maxReferences = 64;

/**
 * Brings the node into the scenario's cache state.
 * `cold`: every arm's image is evicted, since arms may share layers. `layer-warm`: a holder pod keeps the arm's
 * layers (and lazy cache) in use while its image is evicted, so the image is pulled again onto layers that are there.
 * `warm`: the image has been run once and stays.
 */
export async function prepareCache(
  context: TrialContext,
  readings: AgentReadings,
  signal: AbortSignal,
): Promise<PreparedCache> {
  const own = context.imageOf(context.arm.name);
  switch (context.scenario.cache) {
    case 'cold': {
      const all = [...new Set(context.scenario.arms.map(({ name }) => context.imageOf(name)))];
      return { eviction: await evict(context, readings, all, true, signal), holder: undefined };
    }
    case 'layer-warm': {
      const holder = await startPod(context, 'h', 'started', signal);
      try {
        return { eviction: await evict(context, readings, [own], false, signal), holder };
      } catch (error) {
        await context.cluster.deletePod(holder);
        throw error;
      }
    }
    case 'warm': {
      const image = await readings.attempt('image', signal, (agent) => agent.image(own, signal));
      if (image?.present !== true)
        await context.cluster.deletePod(await startPod(context, 'w', 'ready', signal), signal);
      return { eviction: undefined, holder: undefined };
    }
  }
}

/** Evicts until nothing is kept, or the time is over: the reply then says what is kept, and by what. */
async function evict(
  context: TrialContext,
  readings: AgentReadings,
  references: readonly string[],
  mustBeEmpty: boolean,
  signal: AbortSignal,
): Promise<EvictReply | undefined> {
  context.onPhase('evicting');
  const { clock } = context;
  const startedNs = clock.monotonicNs();
  for (;;) {
    const replies: EvictReply[] = [];
    for (let first = 0; first < references.length; first += maxReferences) {
      const reply = await readings.attempt('eviction', signal, (agent) =>
        agent.evict(references.slice(first, first + maxReferences), signal),
      );
      if (reply === undefined) return undefined;
      replies.push(reply);
    }
    const elapsedMs = Number(clock.monotonicNs() - startedNs) / 1e6;
    const keptBy = replies.flatMap((reply) => reply.keptBy);
    if (!mustBeEmpty || keptBy.length === 0 || elapsedMs > evictionLimitMs)
      return { images: replies.flatMap(({ images }) => images), durationMs: elapsedMs, keptBy };
    await clock.sleep(evictionPauseMs, signal);
  }
}

/** Runs a pod of the arm that is not measured, up to its start or its ready sign. Returns its name; it still runs. */
async function startPod(
  context: TrialContext,
  suffix: string,
  until: 'started' | 'ready',
  signal: AbortSignal,
): Promise<string> {
  context.onPhase('warming');
  const { cluster, scenario, arm, trial, node, runId } = context;
  // A holder must not take the GPUs that the measured pod needs.
  const workload = until === 'started' ? { ...scenario.workload, gpu: 0 } : scenario.workload;
  const unmeasured = { ...trial, id: `${trial.id}-${suffix}` };
  const manifest = podManifest({
    runId,
    namespace: cluster.namespace,
    scenario: { ...scenario, workload },
    trial: unmeasured,
    arm,
    image: context.imageOf(arm.name),
    node,
  });
  const name = podName(runId, unmeasured.id);
  await using observation = await PodObservation.open(cluster, name, signal);
  try {
    const created = await cluster.createPod(manifest, signal);
    observation.uid = created.metadata.uid;
    const isStarted = { ...scenario.workload, ready: { kind: 'probe' as const } };
    const waited = await awaitReady(
      { ...context, scenario: until === 'started' ? { ...scenario, workload: isStarted } : scenario },
      { name, observation },
      signal,
    );
    if (waited.end.kind === 'ready') return name;
    const why = waited.end.kind === 'failed' ? waited.end.message : waited.end.kind;
    throw new HarnessError('RUN_INVALID', `the ${context.scenario.cache} state could not be made: ${why}`);
  } catch (error) {
    await cluster.deletePod(name);
    throw error;
  }
}
