import type { Clock } from '../../src/units/clock.ts';
import { systemClock } from '../../src/units/system-clock.ts';
import { startApiServer, type ApiServer } from '../../src/embedded/api/api-server.ts';
import type { JsonObject } from '../../src/embedded/api/json.ts';
import type { Change } from '../../src/embedded/api/object-store.ts';
import type { Resource } from '../../src/embedded/api/resources.ts';
import { startKubelet } from '../../src/embedded/kubelet/kubelet.ts';
import type { NodeDescription } from '../../src/embedded/kubelet/node-object.ts';
import { startScheduler } from '../../src/embedded/scheduler/scheduler.ts';
import { FakeRuntime } from './fake-runtime.ts';

/** A GPU node for tests. */
export const gpuNode = (index: number, more: Partial<NodeDescription> = {}): NodeDescription => ({
  name: `gpu-${String(index)}`,
  labels: { 'nvidia.com/gpu.product': 'NVIDIA-H100-80GB-HBM3' },
  cpus: 32,
  memoryBytes: 64 * 2 ** 30,
  diskBytes: 100 * 2 ** 30,
  gpus: 2,
  runtimeHandlers: ['nydus'],
  internalIp: `10.0.0.${String(index)}`,
  podCidr: `10.244.${String(index)}.0/24`,
  osImage: 'Embedded',
  kernelVersion: '6.8.0',
  architecture: 'amd64',
  containerRuntimeVersion: 'lazybench-embedded://0.1.0',
  ...more,
});

/** A pod manifest with one container. */
export const podManifest = (
  name: string,
  image: string,
  spec: JsonObject = {},
  container: JsonObject = {},
) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: {
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: 0,
    containers: [{ name: 'main', image, ...container }],
    ...spec,
  },
});

/** API server, scheduler and kubelets over one fake runtime. */
export async function startControlPlane(
  options: { readonly clock?: Clock; readonly nodes?: readonly NodeDescription[] } = {},
): Promise<
  AsyncDisposable & { readonly api: ApiServer; readonly runtime: FakeRuntime; readonly errors: unknown[] }
> {
  const clock = options.clock ?? systemClock;
  const api = await startApiServer({ clock });
  const runtime = new FakeRuntime();
  const errors: unknown[] = [];
  const onError = (error: unknown): void => {
    errors.push(error);
  };
  const scheduler = startScheduler({ api, clock });
  const kubelets = (options.nodes ?? [gpuNode(1)]).map((node) =>
    startKubelet({ api, node, runtime, clock, onError }),
  );
  return {
    api,
    runtime,
    errors,
    [Symbol.asyncDispose]: async () => {
      scheduler[Symbol.dispose]();
      for (const kubelet of kubelets) await kubelet[Symbol.asyncDispose]();
      await api[Symbol.asyncDispose]();
    },
  };
}

/** What tests look at in an answer; a member that the answer does not have is undefined whatever the type says. */
export interface Answer {
  readonly kind: string;
  readonly type: string;
  readonly code: number;
  readonly message: string;
  readonly reason: string;
  readonly details: { readonly causes: readonly { readonly field: string }[] };
  readonly metadata: {
    readonly name: string;
    readonly resourceVersion: string;
    readonly labels: JsonObject;
    readonly continue: string;
    readonly remainingItemCount: number;
  };
  readonly spec: { readonly nodeName: string; readonly containers: readonly JsonObject[] };
  readonly status: { readonly phase: string };
  readonly items: readonly Answer[];
  readonly object: Answer;
  readonly note: string;
  readonly eventTime: string;
  /** What the proxied handler of the proxy test echoes. */
  readonly url: string;
  readonly method: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Reads one JSON document. */
export const parseAnswer = (text: string): Answer => JSON.parse(text) as Answer;

/** Reads the events of a watch. */
export const parseAnswers = (text: string): readonly Answer[] => text.trim().split('\n').map(parseAnswer);

/** Sends JSON; the answer with its body read. */
export async function send(
  api: Pick<ApiServer, 'url'>,
  method: string,
  path: string,
  body?: unknown,
  contentType = 'application/json',
): Promise<{ readonly code: number; readonly body: Answer; readonly text: string }> {
  const response = await fetch(`${api.url}${path}`, {
    method,
    headers: { 'content-type': contentType },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  // A watch is many documents, one a line.
  const isOne = response.headers.get('content-type') === 'application/json' && !path.includes('watch=1');
  return { code: response.status, body: parseAnswer(isOne ? text : '{}'), text };
}

/** Resolves with the first change (or present object) that satisfies the condition. */
export async function until(
  api: ApiServer,
  resource: Resource,
  condition: (object: Change['object'], kind: Change['kind']) => boolean,
): Promise<Change['object']> {
  const found = api.store.list(resource).find((object) => condition(object, 'modified'));
  if (found !== undefined) return found;
  return new Promise((resolve) => {
    const stop = api.store.watch(resource, api.store.version, (change) => {
      if (!condition(change.object, change.kind)) return;
      stop();
      resolve(change.object);
    });
  });
}
