import { openCluster } from '../cluster/open-cluster.ts';
import { HarnessError } from '../errors/harness-error.ts';
import { formatImageReference, parseImageLocation } from '../image/image-reference.ts';
import { openImageSource } from '../registry/open-image-source.ts';
import type { ImageFacts } from '../results/run-record.ts';
import type { Arm } from '../scenario/scenario.ts';
import type { Connection } from '../suite/connection.ts';
import { imageFactsOf, unknownDigest } from '../suite/image-facts.ts';
import type { ConnectRequest } from './connect.ts';

/** Connects to a real cluster by kubeconfig. Images stay where they are: the nodes pull them from their registry. */
export async function connectKubernetes(request: ConnectRequest): Promise<Connection> {
  const { options, scenario, clock, signal } = request;
  const references = scenario.arms.map((arm) => [arm, clusterReference(arm)] as const);
  const cluster = await openCluster(options, clock);
  const statements: string[] = [];
  const images: ImageFacts[] = [];
  try {
    if (scenario.link !== undefined)
      statements.push('The scenario shapes a link; on this cluster the network is the nodes’ own.');
    for (const [arm, reference] of references) {
      if (request.stageImages) request.onProgress(`looking up ${reference}`);
      const looked = request.stageImages ? await lookUp(arm, reference, signal) : undefined;
      if (looked instanceof HarnessError)
        statements.push(`Image facts of arm ${arm.name} are not known: ${looked.message}`);
      images.push(
        looked === undefined || looked instanceof HarnessError
          ? { arm: arm.name, reference, source: arm.image, digest: unknownDigest, kind: 'unknown' }
          : looked,
      );
      if (arm.prefetch.kind !== 'off')
        statements.push(
          `Arm ${arm.name} asks for prefetch; on a real cluster that is the nydusd configuration of its nodes.`,
        );
    }
  } catch (error) {
    await cluster[Symbol.asyncDispose]();
    throw error;
  }
  return {
    cluster,
    kind: 'kubernetes',
    statements,
    images,
    meter: undefined,
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
  };
}

/** Nodes can pull from registries only. */
function clusterReference(arm: Arm): string {
  const location = parseImageLocation(arm.image);
  if (location.kind !== 'registry')
    throw new HarnessError('SCENARIO_INVALID', `arms.${arm.name}.image: nodes cannot pull ${arm.image}`, {
      hint: 'Push the image to a registry the nodes reach, or use --cluster embedded.',
    });
  if (arm.convert !== undefined)
    throw new HarnessError(
      'SCENARIO_INVALID',
      `arms.${arm.name}.convert: on a real cluster the image must exist already`,
      {
        hint: 'Convert and push it first, and name the result; or use --cluster embedded.',
      },
    );
  return formatImageReference(location.reference);
}

/** This machine may not reach the nodes' registry: then the facts are missing, and nothing else. */
async function lookUp(arm: Arm, reference: string, signal: AbortSignal): Promise<ImageFacts | HarnessError> {
  try {
    await using source = await openImageSource(reference, {
      flavour: arm.expect === 'lazy' ? 'nydus' : 'plain',
    });
    return imageFactsOf(arm.name, await source.resolve(signal), { reference, source: arm.image });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof HarnessError) return error;
    throw error;
  }
}
