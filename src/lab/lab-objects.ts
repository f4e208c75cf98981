import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { KubeConfig, KubernetesObject } from '@kubernetes/client-node';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { HarnessError } from '../errors/harness-error.ts';
import type { LabLayout } from './lab-layout.ts';

/** Manifests of deploy/base that a lab gets, in the order in which they are made. */
const manifests = ['namespace.yaml', 'rbac-run.yaml', 'runtime-class.yaml'] as const;

const kubernetesObject = z.custom<KubernetesObject>(
  (value) =>
    z
      .looseObject({
        apiVersion: z.string(),
        kind: z.string(),
        metadata: z.looseObject({ name: z.string() }),
      })
      .safeParse(value).success,
);

/** The lab's cluster, as its administrator. */
export async function adminConfig(layout: LabLayout): Promise<KubeConfig> {
  const { KubeConfig: Config } = await import('@kubernetes/client-node');
  const config = new Config();
  config.loadFromString(await readFile(path.join(layout.pkiDirectory, 'admin.kubeconfig'), 'utf8'));
  return config;
}

/** Waits until the API server says that it is ready. */
export async function waitForApi(config: KubeConfig, limitMs: number, signal?: AbortSignal): Promise<void> {
  const { VersionApi } = await import('@kubernetes/client-node');
  const api = config.makeApiClient(VersionApi);
  await poll(limitMs, 'the API server did not become ready', signal, async () => {
    await api.getCode();
    return true;
  });
}

/** Makes namespaces, roles and the RuntimeClass from deploy/base; what is already there stays. */
export async function applyBaseObjects(
  config: KubeConfig,
  deployDirectory: string,
  signal?: AbortSignal,
): Promise<void> {
  const { KubernetesObjectApi, ApiException } = await import('@kubernetes/client-node');
  const api = KubernetesObjectApi.makeApiClient(config);
  for (const file of manifests) {
    const text = await readFile(path.join(deployDirectory, 'base', file), 'utf8');
    for (const document of parseAllDocuments(text)) {
      const object: KubernetesObject = kubernetesObject.parse(document.toJS());
      // The default RBAC objects and admission caches come up a moment after /version answers.
      await poll(20_000, `${file} was not accepted`, signal, async () => {
        try {
          await api.create(object);
          return true;
        } catch (error) {
          if (error instanceof ApiException && error.code === 409) return true;
          throw error;
        }
      });
    }
  }
}

/**
 * Waits for every node to register, gives it its GPUs and waits until it is Ready. The GPUs are an extended
 * resource without a device plug-in (Kubernetes documentation, "Advertise Extended Resources for a Node").
 */
export async function settleNodes(
  config: KubeConfig,
  layout: LabLayout,
  limitMs: number,
  signal?: AbortSignal,
): Promise<void> {
  const { CoreV1Api, PatchStrategy, setHeaderOptions } = await import('@kubernetes/client-node');
  const core = config.makeApiClient(CoreV1Api);
  await Promise.all(
    layout.nodes.map(async (node) => {
      await poll(limitMs, `node ${node.name} did not register`, signal, async () => {
        await core.readNode({ name: node.name });
        return true;
      });
      await core.patchNodeStatus(
        {
          name: node.name,
          body: [{ op: 'add', path: '/status/capacity/nvidia.com~1gpu', value: String(node.gpus) }],
        },
        setHeaderOptions('Content-Type', PatchStrategy.JsonPatch),
      );
      await poll(limitMs, `node ${node.name} did not become Ready`, signal, async () => {
        const { status } = await core.readNode({ name: node.name });
        const isReady = status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ?? false;
        return isReady && status?.allocatable?.['nvidia.com/gpu'] === String(node.gpus);
      });
    }),
  );
}

/** Asks again every 200 ms until `attempt` returns true; failures in between only matter when the time is up. */
async function poll(
  limitMs: number,
  complaint: string,
  signal: AbortSignal | undefined,
  attempt: () => Promise<boolean>,
): Promise<void> {
  const deadlineMs = performance.now() + limitMs;
  for (;;) {
    let cause: unknown;
    try {
      if (await attempt()) return;
    } catch (error) {
      cause = error;
    }
    if (performance.now() > deadlineMs) {
      throw new HarnessError('LAB_FAILED', `${complaint} within ${String(Math.round(limitMs / 1000))} s`, {
        cause,
      });
    }
    await delay(200, undefined, signal === undefined ? {} : { signal });
  }
}
