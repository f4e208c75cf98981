import { figure } from './compare-arms.ts';
import type { Comparison } from './summary.ts';

/** Says in plain words what a run showed about time to ready, one sentence per arm, and about a pull that misleads. */
export function verdictSentence(comparisons: readonly Comparison[]): string {
  const headlines = comparisons.filter(({ metric }) => metric === 'timeToReady');
  if (headlines.length === 0) return 'Nothing was compared: the run has only one arm.';
  return headlines
    .map((headline) => {
      const pull = comparisons.find(({ arm, metric }) => arm === headline.arm && metric === 'pull');
      return [headlineSentence(headline), pullNote(headline, pull)].filter((text) => text !== '').join(' ');
    })
    .join(' ');
}

const headlineSentence = (headline: Comparison): string => {
  const { arm, baseline, effect, verdict, because } = headline;
  if (effect?.interval === undefined)
    return `Whether ${arm} is ready sooner than ${baseline} cannot be told: ${because}.`;
  const ratio = figure(effect.ratio);
  const grounds = `95 % interval ${figure(effect.interval.low)} to ${figure(effect.interval.high)}, ${String(effect.pairs)} pairs`;
  switch (verdict) {
    case 'faster':
      return `${arm} is ready in ${ratio} times the time of ${baseline} (${grounds}): ${String(Math.round((1 - effect.ratio) * 100))} % sooner.`;
    case 'slower':
      return `${arm} takes ${ratio} times as long as ${baseline} to be ready (${grounds}): slower.`;
    case 'equivalent':
      return `${arm} and ${baseline} are ready equally soon: the ratio is ${ratio} (${grounds}), inside the margin.`;
    case 'inconclusive':
      return `Whether ${arm} is ready sooner than ${baseline} cannot be told: the ratio is ${ratio} (${grounds}), and ${because}.`;
  }
};

/** A pull counts as much shorter when its whole interval lies below this ratio. */
const muchShorter = 0.5;

const pullNote = (headline: Comparison, pull: Comparison | undefined): string => {
  const interval = pull?.effect?.interval;
  if (headline.verdict === 'faster' || pull?.effect === undefined) return '';
  if (interval === undefined || interval.high >= muchShorter) return '';
  return `Its pull takes only ${figure(pull.effect.ratio)} times as long, but that does not show in readiness: what the pull leaves out is fetched while the program starts.`;
};
