import type { Summary } from '../decision/summary.ts';
import type { Proof, Trial } from '../evidence/trial.ts';
import { formatDurationMs } from '../units/duration.ts';
import { clip } from './figures.ts';
import { proofWords } from './words.ts';

/** One claim about one arm over all its trials. */
export interface ProofRow {
  readonly arm: string;
  readonly name: Proof['name'];
  readonly claim: string;
  readonly proved: number;
  readonly refuted: number;
  readonly missing: number;
  /** What the proofs rest on: the grounds given by the first trial that proved it. */
  readonly grounds: string | undefined;
}

/** A proof of one trial that does not hold. */
export interface BrokenProof {
  readonly trial: string;
  readonly arm: string;
  readonly name: Proof['name'];
  readonly verdict: 'refuted' | 'missing';
  readonly because: string;
}

/** A trial that was not timed, and why. */
export interface UntimedTrial {
  readonly id: string;
  readonly arm: string;
  readonly block: number;
  readonly node: string;
  readonly outcome: 'failed' | 'timed-out' | 'invalid';
  readonly reason: string;
  readonly hint: string | undefined;
}

/** How the proofs stand as a whole. */
export interface ProofStanding {
  readonly held: number;
  readonly all: number;
  readonly text: string;
}

/** Proof counts per arm, from the summary. */
export function proofRows(summary: Summary, trials: readonly Trial[]): readonly ProofRow[] {
  return summary.proofs.map((row) => ({
    ...row,
    claim: proofWords[row.name],
    grounds: clipped(
      trials
        .filter((trial) => trial.arm === row.arm)
        .flatMap((trial) => trial.proofs)
        .find((proof) => proof.name === row.name && proof.verdict === 'proved')?.because,
    ),
  }));
}

/** `every proof held`, or how many did and what is missing or refuted. */
export function proofStanding(rows: readonly ProofRow[]): ProofStanding {
  let held = 0;
  let refuted = 0;
  let missing = 0;
  for (const row of rows) {
    held += row.proved;
    refuted += row.refuted;
    missing += row.missing;
  }
  const all = held + refuted + missing;
  const broken = [
    ...(refuted > 0 ? [`${String(refuted)} refuted`] : []),
    ...(missing > 0 ? [`${String(missing)} missing`] : []),
  ];
  const share = `${String(held)} of ${String(all)}`;
  const text =
    all === 0
      ? 'nothing was proved'
      : broken.length === 0
        ? 'every proof held'
        : `${share} proofs held, ${broken.join(', ')}`;
  return { held, all, text };
}

/** Every proof that does not hold, of completed and other trials. */
export function brokenProofs(trials: readonly Trial[]): readonly BrokenProof[] {
  return trials.flatMap((trial) =>
    trial.proofs.flatMap(({ name, verdict, because }) =>
      verdict === 'proved'
        ? []
        : [{ trial: trial.id, arm: trial.arm, name, verdict, because: clip(because) }],
    ),
  );
}

/** Trials that were counted but not timed. */
export function untimedTrials(trials: readonly Trial[]): readonly UntimedTrial[] {
  return trials.flatMap((trial) => {
    if (trial.outcome === 'completed') return [];
    const { id, arm, block, node, outcome } = trial;
    const { reason, hint } = reasonOf(trial);
    return [{ id, arm, block, node, outcome, reason: clip(reason), hint: clipped(hint) }];
  });
}

function reasonOf(trial: Exclude<Trial, { outcome: 'completed' }>): {
  readonly reason: string;
  readonly hint: string | undefined;
} {
  switch (trial.outcome) {
    case 'failed':
      return { reason: `${trial.reason}: ${trial.message}`, hint: trial.hint };
    case 'timed-out':
      return { reason: `not ready after ${formatDurationMs(trial.afterMs)}`, hint: undefined };
    case 'invalid':
      return {
        reason: trial.because.map((proof) => `${proof.name} ${proof.verdict}: ${proof.because}`).join('; '),
        hint: undefined,
      };
  }
}

const clipped = (text: string | undefined): string | undefined =>
  text === undefined ? undefined : clip(text);
