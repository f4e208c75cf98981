/** One pod to be run: which arm, where in the order. */
export interface PlannedTrial {
  /** Unique in the run and safe in file and pod names: `b03-n1-nydus`. */
  readonly id: string;
  readonly arm: string;
  /** 0-based index of the block. */
  readonly block: number;
  /** 0-based position of the arm inside its block. */
  readonly position: number;
}

/** One pass over all arms on one node, in the order that the seed drew. */
export interface Block {
  readonly index: number;
  /** 0-based index into the run's chosen nodes. */
  readonly nodeIndex: number;
  readonly trials: readonly PlannedTrial[];
}

/** The whole schedule of a run. The same scenario, seed and node count give the same plan. */
export interface Plan {
  readonly seed: number;
  readonly blocks: readonly Block[];
}
