import { readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { openCluster } from '../cluster/open-cluster.ts';
import { embeddedStatement } from '../embedded/agent/agent-replies.ts';
import type { Workload } from '../embedded/engine/replay.ts';
import { OwnedResources } from '../embedded/owned-resources.ts';
import { startEmbeddedCluster, type EmbeddedCluster } from '../embedded/embedded-cluster.ts';
import { chooseWorkDirectory } from '../embedded/work-directory.ts';
import { buildQuickstartImage } from '../embedded/quickstart-image.ts';
import { HarnessError } from '../errors/harness-error.ts';
import type { ConvertProgress } from '../image/convert.ts';
import { parseImageLocation, type ImageLocation } from '../image/image-reference.ts';
import type { ImageSource } from '../image/image-source.ts';
import { parseTrace } from '../image/read-trace.ts';
import { openImageSource } from '../registry/open-image-source.ts';
import type { ImageFacts } from '../results/run-record.ts';
import type { Arm, Scenario } from '../scenario/scenario.ts';
import type { Connection } from '../suite/connection.ts';
import { imageFactsOf, unknownDigest } from '../suite/image-facts.ts';
import { formatBytes } from '../units/size.ts';
import type { ConnectRequest } from './connect.ts';
import { packageVersion } from './package-root.ts';

/** Names the image that the quickstart makes of this machine's files. */
const quickstartImage = 'builtin:quickstart';

/**
 * Starts a cluster inside this process, with as many nodes as the scenario wants, and puts the arms' images into its
 * registry. Stops and removes everything when disposed.
 */
export async function connectEmbedded(request: ConnectRequest): Promise<Connection> {
  const { scenario } = request;
  const workload = await readWorkload(scenario, request.folder);
  const prefetchLists = await readPrefetchLists(scenario, request.folder);
  request.onProgress('starting the embedded cluster');
  const owned = new OwnedResources();
  try {
    return await connectWith(owned, request, workload, prefetchLists);
  } catch (error) {
    await owned[Symbol.asyncDispose]();
    throw error;
  }
}

async function connectWith(
  owned: OwnedResources,
  request: ConnectRequest,
  workload: Workload,
  prefetchLists: ReadonlyMap<string, readonly string[]>,
): Promise<Connection> {
  const { scenario, signal } = request;
  const embedded = owned.use(
    await startEmbeddedCluster({
      nodes: Array.from({ length: scenario.nodes.count }, (_, index) => ({
        name: `embedded-${index}`,
        // Scenarios written for other GPU nodes run here unchanged.
        labels: scenario.nodes.selector,
        gpus: Math.max(8, scenario.workload.gpu),
      })),
      link: scenario.link,
      directory: (await chooseWorkDirectory(1e9, process.env)).path,
      version: packageVersion(),
      clock: request.clock,
      signal,
    }),
  );
  const images: ImageFacts[] = [];
  for (const arm of scenario.arms) {
    if (!request.stageImages) {
      const reference = `${embedded.registryAddress}/${stagedName(scenario, arm)}`;
      images.push({ arm: arm.name, reference, source: arm.image, digest: unknownDigest, kind: 'unknown' });
      continue;
    }
    const facts = await stage(embedded, request, arm);
    embedded.registerArm({
      reference: facts.reference,
      workload,
      prefetch:
        arm.prefetch.kind === 'list'
          ? { kind: 'list', paths: prefetchLists.get(arm.name) ?? [] }
          : { kind: arm.prefetch.kind },
    });
    images.push(facts);
  }
  const cluster = owned.use(
    await openCluster(
      { kubeconfigText: embedded.kubeconfig, namespace: request.options.namespace },
      request.clock,
    ),
  );
  return {
    cluster,
    kind: 'embedded',
    statements: [
      embeddedStatement,
      ...(scenario.workload.trace === undefined
        ? [
            'The scenario has no trace: the embedded node reads every file of the image once and then prints "ready".',
          ]
        : []),
    ],
    images,
    meter: embedded.meter,
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

const stagedName = (scenario: Scenario, arm: Arm): string => `lazybench/${scenario.name}:${arm.name}`;

async function stage(embedded: EmbeddedCluster, request: ConnectRequest, arm: Arm): Promise<ImageFacts> {
  const { scenario, signal, onProgress } = request;
  const name = stagedName(scenario, arm);
  await using source = await openArmImage(arm, request);
  onProgress(`${arm.name}: ${arm.convert === undefined ? 'copying' : 'converting'} ${arm.image}`);
  const { reference } =
    arm.convert === undefined
      ? await embedded.stageImage(source, name, signal)
      : await embedded.convertAndStage(source, name, {
          signal,
          onProgress: (progress) => onProgress(`${arm.name}: converting ${describeConversion(progress)}`),
        });
  await using staged = await openImageSource(reference, {
    plainHttp: true,
    credentials: () => Promise.resolve(undefined),
    flavour: arm.expect === 'lazy' ? 'nydus' : 'plain',
  });
  return imageFactsOf(arm.name, await staged.resolve(signal), { reference, source: arm.image });
}

const describeConversion = (progress: ConvertProgress): string =>
  progress.kind === 'layer'
    ? `layer ${progress.layer} of ${progress.layers} (${formatBytes(progress.fileSizeBytes)})`
    : 'pushing blobs';

async function openArmImage(arm: Arm, request: ConnectRequest): Promise<ImageSource> {
  const flavour = arm.expect === 'lazy' && arm.convert === undefined ? 'nydus' : 'plain';
  if (arm.image !== quickstartImage)
    return openImageSource(besideScenario(parseImageLocation(arm.image), request.folder), { flavour });
  request.onProgress('making the quickstart image');
  const built = await buildQuickstartImage({
    signal: request.signal,
    onProgress: ({ packedBytes, totalBytes }) =>
      request.onProgress(`making the quickstart image ${((100 * packedBytes) / totalBytes).toFixed(0)} %`),
  });
  const architecture = os.arch() === 'arm64' ? 'arm64' : 'amd64';
  return openImageSource(
    { kind: 'oci', directory: built.layoutPath },
    { platform: { os: 'linux', architecture } },
  );
}

/** Paths in a scenario start at its file, wherever lazybench was called. */
function besideScenario(location: ImageLocation, folder: string): ImageLocation {
  switch (location.kind) {
    case 'registry':
      return location;
    case 'oci':
      return { ...location, directory: path.resolve(folder, location.directory) };
    case 'oci-archive':
    case 'docker-archive':
      return { ...location, file: path.resolve(folder, location.file) };
  }
}

async function readWorkload(scenario: Scenario, folder: string): Promise<Workload> {
  const { trace } = scenario.workload;
  if (trace === undefined || trace === 'all-files') return 'all-files';
  return parseTrace(await readBeside(folder, trace, 'workload.trace', 'TRACE_INVALID'), trace);
}

/** One path per line; empty lines and lines that start with # are left out. */
async function readPrefetchLists(
  scenario: Scenario,
  folder: string,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const lists = new Map<string, readonly string[]>();
  for (const { name, prefetch } of scenario.arms) {
    if (prefetch.kind !== 'list') continue;
    const text = await readBeside(folder, prefetch.file, `arms.${name}.prefetch.list`, 'SCENARIO_INVALID');
    const lines = text.split('\n').map((line) => line.trim());
    lists.set(
      name,
      lines.filter((line) => line !== '' && !line.startsWith('#')),
    );
  }
  return lists;
}

async function readBeside(
  folder: string,
  file: string,
  key: string,
  code: 'TRACE_INVALID' | 'SCENARIO_INVALID',
): Promise<string> {
  const place = path.resolve(folder, file);
  try {
    return await readFile(place, 'utf8');
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new HarnessError(
      code,
      `${key}: cannot read ${place}: ${reason === 'ENOENT' ? 'no such file' : reason}`,
      {
        cause: error,
      },
    );
  }
}
