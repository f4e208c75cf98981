import { z } from 'zod';
import { HarnessError } from '../errors/harness-error.ts';

const named = z.looseObject({
  apiVersion: z.string(),
  kind: z.enum(['Namespace', 'Secret', 'Pod', 'RuntimeClass']),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});
const plurals = {
  Namespace: 'namespaces',
  Secret: 'secrets',
  Pod: 'pods',
  RuntimeClass: 'runtimeclasses',
} as const;

/** Creates objects through the API server's front door, so that they get its defaults and checks. */
export async function createObjects(
  apiUrl: string,
  objects: readonly object[],
  signal: AbortSignal,
): Promise<void> {
  for (const object of objects) {
    const { apiVersion, kind, metadata } = named.parse(object);
    const root = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
    const inNamespace = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`;
    const response = await fetch(`${apiUrl}${root}${inNamespace}/${plurals[kind]}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(object),
      signal,
    });
    const answer = await response.text();
    if (!response.ok) {
      throw new HarnessError('CLUSTER_UNREACHABLE', `${kind} ${metadata.name} was refused: ${answer}`);
    }
  }
}
