import { badRequest } from './api-error.ts';
import type { JsonObject } from './json.ts';

/** A parsed selector: does an object with these labels match? */
export type LabelSelector = (labels: JsonObject) => boolean;

// Commas separate requirements, except between the parentheses of a set.
const splitRequirements = (text: string): readonly string[] =>
  text.split(/,(?![^(]*\))/u).map((part) => part.trim());

const setForm = /^([\w./-]+)\s+(in|notin)\s*\(([^()]*)\)$/u;
const equalForm = /^([\w./-]+)\s*(==|!=|=)\s*([\w.-]*)$/u;
const existsForm = /^(!?)\s*([\w./-]+)$/u;

function parseRequirement(text: string): LabelSelector {
  const set = setForm.exec(text);
  if (set !== null) {
    const key = set[1] ?? '';
    const values = (set[3] ?? '').split(',').map((value) => value.trim());
    const isIn: LabelSelector = (labels) => values.some((value) => labels[key] === value);
    return set[2] === 'in' ? isIn : (labels) => !isIn(labels);
  }
  const equal = equalForm.exec(text);
  if (equal !== null) {
    const [, key = '', operator, value = ''] = equal;
    return operator === '!=' ? (labels) => labels[key] !== value : (labels) => labels[key] === value;
  }
  const exists = existsForm.exec(text);
  if (exists !== null) {
    const key = exists[2] ?? '';
    return exists[1] === '!' ? (labels) => labels[key] === undefined : (labels) => labels[key] !== undefined;
  }
  throw badRequest(`unable to parse requirement: ${JSON.stringify(text)}`);
}

/** Parses a labelSelector (equality and set forms); throws 400. The empty text selects everything. */
export function parseLabelSelector(text: string): LabelSelector {
  if (text.trim() === '') return () => true;
  const requirements = splitRequirements(text).map(parseRequirement);
  return (labels) => requirements.every((matches) => matches(labels));
}
