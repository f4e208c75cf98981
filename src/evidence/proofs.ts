import type { ImageReply } from '../agent/protocol.ts';
import type { ArmExpectation } from './arm-expectation.ts';
import { movedBytes } from './moved-bytes.ts';
import type { PulledMessage } from './pulled-message.ts';
import type { RawEvidence } from './raw-evidence.ts';
import type { Proof, Traffic } from './trial.ts';

/** What the proofs are drawn from. */
export interface ProofGrounds {
  readonly raw: RawEvidence;
  readonly expectation: ArmExpectation;
  readonly traffic: Traffic;
  readonly pulledMessage: PulledMessage | undefined;
}

/**
 * Checks every claim about one trial that its result rests on: the cache state it began with, that the image was
 * really pulled (or really there), that its root file system is of the expected kind, and that it became ready.
 * `missing` means nobody could look (no agent); only `refuted` makes a trial invalid.
 */
export function proveTrial(grounds: ProofGrounds): readonly Proof[] {
  return [proveCache(grounds), provePulled(grounds), proveRoot(grounds), proveReady(grounds)];
}

// An image of which less than this arrived was partly on the node: layers are shared, or survived the eviction.
const leastEagerShare = 0.9;

const proveCache = ({ raw, expectation, traffic, pulledMessage }: ProofGrounds): Proof => {
  const { cache } = expectation;
  const kept = raw.eviction?.keptBy ?? [];
  const before = raw.imagesBefore.filter((image) => isSameImage(image, expectation));
  const [image] = before;
  if (cache !== 'warm' && pulledMessage?.kind === 'already-present')
    return refuted(cache, 'the kubelet found the image present and pulled nothing');
  if (image === undefined) return missing(cache, 'nobody looked at the node’s image store before the trial');
  const leftovers = [image.contentBlobs, image.snapshots, image.blobCacheFiles].flat();
  switch (cache) {
    case 'warm':
      return image.present
        ? proved(cache, 'the image was in the node’s store before the pod was submitted')
        : refuted(cache, 'the image was not in the node’s store before the pod was submitted');
    case 'layer-warm':
      if (image.present)
        return refuted(cache, 'the image itself was in the node’s store, not only its layers');
      return leftovers.length > 0
        ? proved(cache, `the image was gone, ${count(leftovers.length, 'blob or snapshot')} of it remained`)
        : refuted(cache, 'nothing of the image was on the node: that is cold');
    case 'cold':
      break;
  }
  if (kept.length > 0) return refuted(cache, `the eviction left something behind: ${kept.join(', ')}`);
  if (image.present) return refuted(cache, 'the image was in the node’s store before the pod was submitted');
  if (leftovers.length > 0)
    return refuted(cache, `parts of the image were on the node: ${leftovers.slice(0, 3).join(', ')}`);
  const shortfall = findShortfall(expectation, traffic);
  if (shortfall !== undefined) return refuted(cache, shortfall);
  const evicted = raw.eviction === undefined ? 'no eviction was needed' : 'evicted before the trial';
  return proved(cache, `no reference, blob, snapshot or cache file of it was on the node; ${evicted}`);
};

const findShortfall = (expectation: ArmExpectation, traffic: Traffic): string | undefined => {
  const moved = movedBytes(traffic, 'end');
  if (moved === undefined) return undefined;
  if (moved.bytes <= 0) return `a cold start moved no byte (${moved.countedBy})`;
  const { sizeBytes } = expectation.image;
  if (expectation.expect === 'lazy' || sizeBytes === undefined) return undefined;
  return moved.bytes < leastEagerShare * sizeBytes
    ? `only ${String(moved.bytes)} of ${String(sizeBytes)} bytes were moved (${moved.countedBy}): part of the image was on the node`
    : undefined;
};

const provePulled = ({ expectation, pulledMessage }: ProofGrounds): Proof => {
  if (pulledMessage === undefined) return missing('pulled', 'no Pulled event with a known text was seen');
  const wanted = expectation.cache === 'warm' ? 'already-present' : 'pulled';
  const because =
    pulledMessage.kind === 'pulled'
      ? `the kubelet says it pulled ${pulledMessage.image}`
      : `the kubelet says ${pulledMessage.image} was already present`;
  if (pulledMessage.image !== expectation.image.reference)
    return refuted('pulled', `${because}, not ${expectation.image.reference}`);
  return pulledMessage.kind === wanted ? proved('pulled', because) : refuted('pulled', because);
};

const proveRoot = ({ raw, expectation }: ProofGrounds): Proof => {
  const { expect: name } = expectation;
  const pod = raw.podOnNode;
  if (pod === undefined) return missing(name, 'nobody could look at the pod’s mounts');
  const daemons = pod.daemons.filter(({ imageReference }) => names(imageReference, expectation));
  if (name === 'eager') {
    return daemons.length === 0
      ? proved(name, `no nydusd serves the image; ${lowers(pod.lowerDirectories)}`)
      : refuted(name, `nydusd ${daemons.map(({ id }) => id).join(', ')} serves the image`);
  }
  const [daemon] = daemons;
  if (daemon === undefined)
    return refuted(name, `no nydusd serves the image; ${lowers(pod.lowerDirectories)}`);
  if (pod.lowerDirectories === undefined)
    return missing(name, `nydusd ${daemon.id} serves the image, but nobody could count lower directories`);
  return pod.lowerDirectories === 1
    ? proved(name, `nydusd ${daemon.id} serves the image at ${daemon.mountpoint}; one lower directory`)
    : refuted(name, `${lowers(pod.lowerDirectories)}: the layers were unpacked`);
};

const proveReady = ({ raw }: ProofGrounds): Proof => {
  const { ready } = raw;
  if (ready === undefined) return refuted('ready', 'the workload never gave its sign');
  if (ready.kind !== 'log') return proved('ready', `seen by ${ready.kind}`);
  const line = raw.lines[ready.line];
  return line === undefined
    ? refuted('ready', 'the line that was the sign is not among the recorded lines')
    : proved('ready', `log line ${JSON.stringify(line.line.slice(0, 120))}`);
};

const isSameImage = (image: ImageReply, expectation: ArmExpectation): boolean =>
  [image.reference, ...image.references].some((reference) => names(reference, expectation));

const names = (reference: string, { image }: ArmExpectation): boolean =>
  reference === image.reference || (image.digest !== undefined && reference.endsWith(image.digest));

const lowers = (directories: number | undefined): string =>
  directories === undefined ? 'lower directories not counted' : count(directories, 'lower directory');

const count = (n: number, what: string): string =>
  `${String(n)} ${n === 1 ? what : what.replace(/y$/u, 'ie').replace(/$/u, 's')}`;

const proved = (name: Proof['name'], because: string): Proof => ({ name, verdict: 'proved', because });
const refuted = (name: Proof['name'], because: string): Proof => ({ name, verdict: 'refuted', because });
const missing = (name: Proof['name'], because: string): Proof => ({ name, verdict: 'missing', because });
