import type { Scenario } from './scenario.ts';

/** Sentences about a scenario that is valid but will disappoint. */
export function scenarioWarnings(scenario: Scenario): readonly string[] {
  const warnings: string[] = [];
  if (scenario.pairs.min < 6 && scenario.pairs.target === undefined)
    warnings.push(
      `pairs.min is ${scenario.pairs.min}: fewer than 6 pairs cannot give an exact 95 % interval, the verdict will be inconclusive.`,
    );
  const seen = new Map<string, string>();
  for (const { name, image, convert, prefetch } of scenario.arms) {
    const how = `${image} ${convert ?? ''} ${JSON.stringify(prefetch)}`;
    const twin = seen.get(how);
    if (twin !== undefined)
      warnings.push(
        `arms ${twin} and ${name} use the same image reference: the second one on a node may find it already pulled.`,
      );
    seen.set(how, name);
  }
  if (scenario.workload.ready.kind === 'probe')
    warnings.push('ready: { probe: true } is only as fine as the kubelet reports: about one second.');
  return warnings;
}
