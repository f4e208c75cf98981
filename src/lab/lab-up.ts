import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { HarnessError } from '../errors/harness-error.ts';
import { startApi, startControllers } from './control-plane.ts';
import { takeDown } from './lab-down.ts';
import { checkBinaries } from './lab-binaries.ts';
import { labRegistryAddress, layOutLab, mostLabNodes, type LabLayout } from './lab-layout.ts';
import { makeNetwork, shapeNodeLink } from './lab-network.ts';
import { startNode } from './lab-node.ts';
import { adminConfig, applyBaseObjects, settleNodes, waitForApi } from './lab-objects.ts';
import { makePki } from './lab-pki.ts';
import { pushSmallImage } from './lab-push.ts';
import { readLabState, writeLabState, type LabState } from './lab-state.ts';
import { pauseImage } from './pause-image.ts';
import { preflight } from './preflight.ts';
import { ProcessTable } from './process-table.ts';
import type { NydusdOptions } from './node-config.ts';

/** What a lab is made with. */
export interface LabUpOptions {
  readonly directory: string;
  readonly nodes: number;
  readonly subnetPrefix?: string;
  readonly binDirectory: string;
  /** deploy/ of this package: namespaces, roles, RuntimeClass. */
  readonly deployDirectory: string;
  readonly rateBytesPerSecond?: number;
  readonly nydusd?: NydusdOptions;
  readonly onProgress: (step: string) => void;
  readonly signal?: AbortSignal;
}

/** A lab that is up. */
export interface Lab {
  readonly layout: LabLayout;
  /** Kubeconfig of the harness's own role. */
  readonly kubeconfig: string;
  readonly adminKubeconfig: string;
  readonly registryAddress: string;
}

/** Brings a lab up; whatever goes wrong on the way, nothing of it stays. */
export async function bringUp(options: LabUpOptions): Promise<Lab> {
  const { directory, binDirectory, onProgress, signal } = options;
  if (options.nodes < 1 || options.nodes > mostLabNodes) {
    throw new HarnessError(
      'USAGE',
      `a lab has 1 to ${String(mostLabNodes)} nodes, not ${String(options.nodes)}`,
    );
  }
  const existing = await readLabState(directory);
  if (existing !== undefined) {
    throw new HarnessError(
      'LAB_EXISTS',
      existing.state.stage === 'up'
        ? `a lab with ${String(existing.state.nodes)} node(s) is up in ${directory} since ${existing.state.startedAt}`
        : `a lab was interrupted while it started in ${directory}`,
    );
  }
  const layout = layOutLab(options);
  onProgress('checking this machine');
  await preflight(layout);
  await checkBinaries(binDirectory, signal);

  const state: LabState = {
    schemaVersion: 1,
    nodes: options.nodes,
    subnetPrefix: layout.subnetPrefix,
    binDirectory,
    startedAt: new Date().toISOString(),
    stage: 'starting',
  };
  await writeLabState(directory, state);
  try {
    await mkdir(layout.logDirectory, { recursive: true });
    await build(layout, options);
    await writeLabState(directory, { ...state, stage: 'up' });
  } catch (error) {
    onProgress('did not work: taking it down again (logs are kept)');
    await takeDown(directory, { keepLogs: true });
    throw error;
  }
  return {
    layout,
    kubeconfig: path.join(layout.pkiDirectory, 'lazybench.kubeconfig'),
    adminKubeconfig: path.join(layout.pkiDirectory, 'admin.kubeconfig'),
    registryAddress: labRegistryAddress(layout),
  };
}

async function build(layout: LabLayout, options: LabUpOptions): Promise<void> {
  const { binDirectory, onProgress, signal } = options;
  const processes = new ProcessTable(layout.directory, layout.logDirectory);
  onProgress('certificates and network');
  await Promise.all([makePki(layout, signal), makeNetwork(layout, signal)]);

  onProgress('etcd, kube-apiserver, registry');
  await startApi(layout, binDirectory, processes);
  const config = await adminConfig(layout);
  await waitForApi(config, 60_000, signal);

  onProgress(`controllers and ${String(layout.nodes.length)} node(s)`);
  await startControllers(layout, binDirectory, processes);
  await pushSmallImage(layout, 'pause', 'lab', await pauseImage(), signal);
  const nydusd = options.nydusd ?? { prefetch: 'off', amplifyIoBytes: 1_048_576 };
  for (const node of layout.nodes) {
    if (options.rateBytesPerSecond !== undefined)
      await shapeNodeLink(node, options.rateBytesPerSecond, signal);
    await startNode(layout, node, binDirectory, nydusd, processes);
  }
  await applyBaseObjects(config, options.deployDirectory, signal);

  onProgress('waiting for the nodes');
  await settleNodes(config, layout, 60_000, signal);
}
