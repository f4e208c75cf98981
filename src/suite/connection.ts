import type { Cluster } from '../cluster/cluster.ts';
import type { Meter } from '../registry/meter.ts';
import type { ImageFacts } from '../results/run-record.ts';

/**
 * A cluster that is ready to be measured on, with the images in place. It hides which lane this is: whoever holds a
 * connection cannot tell the embedded cluster from a real one.
 */
export interface Connection extends AsyncDisposable {
  readonly cluster: Cluster;
  /** For run.json and reports: what kind of cluster this is, in a word. */
  readonly kind: string;
  /** Sentences that every output repeats. */
  readonly statements: readonly string[];
  /** One per arm: the reference that pods use, and what it turned out to be. */
  readonly images: readonly ImageFacts[];
  /** A count of the registry's side, where there is one. */
  readonly meter: Meter | undefined;
}
