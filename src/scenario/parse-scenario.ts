import { isMap, isNode, isScalar, LineCounter, parseDocument, type Document } from 'yaml';
import type { z } from 'zod';
import { HarnessError } from '../errors/harness-error.ts';
import { nearestKey } from './nearest-key.ts';
import { scenarioFile, type ScenarioFile } from './scenario-file.ts';
import { knownKeysAt } from './scenario-schema.ts';
import type { Arm, ReadySign, Scenario } from './scenario.ts';

/** One thing wrong with a scenario file, and where (1-based). */
interface Problem {
  readonly offset: number;
  readonly message: string;
}

/**
 * Reads a scenario file. Throws SCENARIO_INVALID that lists everything wrong with it, each line with
 * `file:line:column`. Relative paths in it are left as they are: they start at the scenario file.
 */
export function parseScenario(text: string, fileName: string): Scenario {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const refuse = (problems: readonly Problem[]): never => {
    const places = problems
      .toSorted((a, b) => a.offset - b.offset)
      .map(({ offset, message }) => {
        const { line, col } = lines.linePos(offset);
        return { line, column: col, message };
      });
    throw new HarnessError(
      'SCENARIO_INVALID',
      places.map((at) => `${fileName}:${at.line}:${at.column}: ${at.message}`).join('\n'),
      { details: { file: fileName, problems: places } },
    );
  };
  if (document.errors.length > 0)
    refuse(document.errors.map((error) => ({ offset: error.pos[0], message: yamlMessage(error) })));
  if (!isMap(document.contents))
    refuse([
      { offset: 0, message: 'a scenario is a YAML mapping with the keys name, workload, arms, baseline …' },
    ]);
  const parsed = scenarioFile.safeParse(document.toJS());
  if (!parsed.success) return refuse(parsed.error.issues.flatMap((issue) => explain(issue, document)));
  const crossed = crossCheck(parsed.data).map(({ path, message }) => ({
    offset: offsetOf(document, path),
    message,
  }));
  if (crossed.length > 0) refuse(crossed);
  return toScenario(parsed.data);
}

const yamlMessage = (error: { code: string; message: string }): string =>
  error.code === 'DUPLICATE_KEY'
    ? 'the same key is given twice in one mapping'
    : error.message.replace(/\n[\s\S]*/u, '');

const keyPath = (path: readonly PropertyKey[]): string =>
  path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
    .join('')
    .replace(/^\./u, '');

function explain(issue: z.core.$ZodIssue, document: Document): Problem[] {
  const where = keyPath(issue.path);
  const offset = offsetOf(document, issue.path);
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => {
      const known = knownKeysAt(issue.path);
      const meant = nearestKey(key, known);
      return {
        offset: keyOffsetOf(document, issue.path, key),
        message: `unknown key \`${key}\`${where === '' ? '' : ` in ${where}`}${
          meant === undefined ? `; known: ${known.join(', ')}` : `, did you mean \`${meant}\`?`
        }`,
      };
    });
  if (issue.code === 'invalid_key')
    return [
      {
        offset: keyOffsetOf(document, issue.path.slice(0, -1), String(issue.path.at(-1))),
        message: `${where}: the name ${issue.issues.map((inner) => inner.message).join(', ')}`,
      },
    ];
  if (document.getIn(issue.path) === undefined && issue.path.length > 0)
    return [{ offset: offsetOf(document, issue.path.slice(0, -1)), message: `\`${where}\` is missing` }];
  return [{ offset, message: `${where}: ${issue.message.replace(/^Invalid input: /u, '')}` }];
}

/** Where the value at `path` starts; its nearest existing parent when there is none. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  const node: unknown = path.length === 0 ? document.contents : document.getIn(path, true);
  if (isNode(node)) return node.range?.[0] ?? 0;
  return path.length === 0 ? 0 : offsetOf(document, path.slice(0, -1));
}

function keyOffsetOf(document: Document, path: readonly PropertyKey[], key: string): number {
  const map: unknown = path.length === 0 ? document.contents : document.getIn(path, true);
  if (!isMap(map)) return offsetOf(document, path);
  const pair = map.items.find((item) => isScalar(item.key) && String(item.key.value) === key);
  return isNode(pair?.key) ? (pair.key.range?.[0] ?? 0) : offsetOf(document, path);
}

/** What no single key can know: rules between keys. */
function crossCheck(file: ScenarioFile): { path: string[]; message: string }[] {
  const names = Object.keys(file.arms);
  const problems: { path: string[]; message: string }[] = [];
  if (!names.includes(file.baseline)) {
    const meant = nearestKey(file.baseline, names);
    problems.push({
      path: ['baseline'],
      message: `baseline \`${file.baseline}\` is not among the arms (${names.join(', ')})${
        meant === undefined ? '' : `, did you mean \`${meant}\`?`
      }`,
    });
  }
  if (file.pairs.min > file.pairs.max)
    problems.push({
      path: ['pairs', 'min'],
      message: `pairs.min (${file.pairs.min}) is above pairs.max (${file.pairs.max})`,
    });
  for (const [name, arm] of Object.entries(file.arms))
    if (arm.prefetch !== 'off' && arm.expect === 'eager')
      problems.push({
        path: ['arms', name, 'prefetch'],
        message: `arms.${name}: an eager arm has everything before it starts; prefetch is for lazy ones`,
      });
  return problems;
}

function toScenario(file: ScenarioFile): Scenario {
  const { workload, pairs, link } = file;
  return {
    name: file.name,
    description: file.description,
    nodes: file.nodes,
    workload: {
      command: workload.command,
      args: workload.args,
      env: workload.env,
      gpu: workload.gpu,
      ready: toReadySign(workload.ready),
      timeoutMs: workload.timeout,
      settleMs: workload.settle,
      trace: workload.trace,
    },
    arms: Object.entries(file.arms).map(([name, arm]) => toArm(name, arm)),
    baseline: file.baseline,
    cache: file.cache,
    pairs: { min: pairs.min, max: pairs.max, target: pairs.target },
    link:
      link === undefined
        ? undefined
        : { rateBytesPerSecond: link.bandwidth, latencyMs: link.latency, maxConnections: link.connections },
    seed: file.seed,
  };
}

function toReadySign(sign: ScenarioFile['workload']['ready']): ReadySign {
  if (sign.log !== undefined) return { kind: 'log', pattern: sign.log };
  return sign.http === undefined ? { kind: 'probe' } : { kind: 'http', ...sign.http };
}

function toArm(name: string, arm: ScenarioFile['arms'][string]): Arm {
  const runtimeClass = arm.runtimeClass ?? (arm.convert === undefined ? undefined : 'nydus');
  return {
    name,
    image: arm.image,
    runtimeClass,
    expect: arm.expect ?? (runtimeClass === undefined ? 'eager' : 'lazy'),
    convert: arm.convert,
    prefetch:
      typeof arm.prefetch === 'string' ? { kind: arm.prefetch } : { kind: 'list', file: arm.prefetch.list },
  };
}
