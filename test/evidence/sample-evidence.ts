import type { RawEvidence } from '../../src/evidence/raw-evidence.ts';
import type { TrialContext } from '../../src/evidence/judge-trial.ts';

/** 2026-11-23T10:15:02Z. */
export const submitNs = 1_795_428_902_000_000_000n;
const ms = (n: number): bigint => BigInt(Math.round(n * 1e6));

/** When things happened, ms after submit by the client's clock, and how far the node's clock is ahead. */
export interface SampleTimes {
  readonly scheduled: number;
  readonly pulling: number;
  readonly pulled: number;
  readonly created: number;
  readonly started: number;
  readonly firstLog: number;
  readonly ready: number;
  readonly nodeAheadMs: number;
}

export const sampleTimes: SampleTimes = {
  scheduled: 4,
  pulling: 20,
  pulled: 1220,
  created: 1250,
  started: 1262,
  firstLog: 1300,
  ready: 2000,
  nodeAheadMs: 5000,
};

/** Reference of the sample's image. */
export const sampleImage = 'registry.local/app:1';

/** What judging is told about the sample: an eager arm, cold. */
export const sampleContext: TrialContext = {
  expect: 'eager',
  cache: 'cold',
  image: { reference: sampleImage, digest: 'sha256:aa', sizeBytes: 1000 },
  block: 0,
  position: 0,
  recordedAt: '2026-11-23T10:16:00.000Z',
};

const iso = (atNs: bigint): string => new Date(Number(atNs / 1_000_000n)).toISOString();
const second = (atNs: bigint): string => iso(atNs).replace(/\.\d+Z$/u, 'Z');

/** A kubelet event as the API sends it, recorded at `atNs` of the node's clock. */
export const kubeletEvent = (reason: string, message: string, atNs: bigint): Record<string, unknown> => ({
  metadata: { name: `b00.n1.oci.${atNs.toString(16)}`, namespace: 'default' },
  involvedObject: { kind: 'Pod', uid: 'uid-1', fieldPath: 'spec.containers{main}' },
  reason,
  message,
  type: 'Normal',
  count: 1,
  firstTimestamp: second(atNs),
  lastTimestamp: second(atNs),
  eventTime: null,
});

/** Raw evidence of a trial that went well; every test takes one thing away or bends it. */
export function sampleEvidence(times: SampleTimes = sampleTimes): RawEvidence {
  const client = (at: number): bigint => submitNs + ms(at);
  const node = (at: number): bigint => client(at) + ms(times.nodeAheadMs);
  const observed = (reason: string, message: string, at: number): RawEvidence['events'][number] => ({
    arrivedNs: String(client(at) + ms(2)),
    event: kubeletEvent(reason, message, node(at)),
  });
  const roundTrip = (at: number): RawEvidence['clock']['before'] =>
    [3, 0.4, 5].map((rtt, index) => ({
      sentNs: String(client(at + index * 10)),
      nodeNs: String(node(at + index * 10 + rtt / 2)),
      receivedNs: String(client(at + index * 10 + rtt)),
    }));
  const pullMs = times.pulled - times.pulling;
  const line = (text: string, at: number): RawEvidence['lines'][number] => ({
    atNs: String(node(at)),
    arrivedNs: String(client(at) + ms(1)),
    line: text,
  });
  const counters = (
    mark: RawEvidence['counters'][number]['mark'],
    at: number,
    bytes: number,
  ): RawEvidence['counters'][number] => ({
    mark,
    requestedNs: String(client(at)),
    atNs: String(node(at)),
    sources: {
      nic: { rxBytes: 7000 + bytes + (bytes > 0 ? 50 : 0), txBytes: 10 },
      containerd: { pulledBytes: 500 + bytes, requests: bytes > 0 ? 3 : 0 },
      application: { readBytes: bytes > 0 ? 400 : 0, reads: bytes > 0 ? 4 : 0 },
    },
  });
  const request = (
    kind: 'manifest' | 'config' | 'layer',
    at: number,
    durationMs: number,
    bodyBytes: number,
  ): NonNullable<RawEvidence['meter']>[number] => ({
    atNs: String(client(at)),
    class: kind,
    prefetch: false,
    method: 'GET',
    path: `/v2/app/${kind}`,
    status: 200,
    bodyBytes,
    durationMs,
  });
  return {
    schemaVersion: 1,
    trial: 'b00-n1-oci',
    arm: 'oci',
    node: 'n1',
    pod: { name: 'b00.n1.oci', namespace: 'default', uid: 'uid-1' },
    submit: { sentNs: String(submitNs), acceptedNs: String(client(3)) },
    manifest: {},
    events: [
      {
        arrivedNs: String(client(times.scheduled) + ms(2)),
        event: {
          metadata: { name: 'b00.n1.oci.aaaa' },
          involvedObject: { uid: 'uid-1' },
          reason: 'Scheduled',
          message: 'Successfully assigned default/b00.n1.oci to n1',
          eventTime: iso(client(times.scheduled)).replace('Z', '000Z'),
          count: null,
          firstTimestamp: null,
        },
      },
      observed('Pulling', `Pulling image "${sampleImage}"`, times.pulling),
      observed(
        'Pulled',
        `Successfully pulled image "${sampleImage}" in ${String(pullMs)}ms (${String(pullMs)}ms including waiting). Image size: 1000 bytes.`,
        times.pulled,
      ),
      observed('Created', 'Container created', times.created),
      observed('Started', 'Container started', times.started),
    ],
    statuses: [
      {
        arrivedNs: String(client(times.scheduled) + ms(3)),
        nodeName: 'n1',
        status: {
          phase: 'Running',
          containerStatuses: [{ state: { running: { startedAt: second(node(times.started)) } } }],
        },
      },
    ],
    lines: [line('loading', times.firstLog), line('ready', times.ready)],
    ready: { kind: 'log', line: 1 },
    clock: { before: roundTrip(-100), after: roundTrip(times.ready + 500) },
    watchGaps: [],
    counters: [
      counters('before', -10, 0),
      counters('ready', times.ready + 5, 1000),
      counters('end', times.ready + 400, 1000),
    ],
    meter: [
      request('manifest', times.pulling + 1, 1, 20),
      request('config', times.pulling + 10, 1, 30),
      request('layer', times.pulling + 100, 1000, 950),
    ],
    eviction: { images: [], durationMs: 12, keptBy: [] },
    imagesBefore: [
      {
        reference: sampleImage,
        present: false,
        references: [],
        contentBlobs: [],
        snapshots: [],
        blobCacheFiles: [],
        containers: [],
      },
    ],
    podOnNode: { lowerDirectories: 3, daemons: [] },
    end: { kind: 'ready' },
    missing: [],
  };
}
