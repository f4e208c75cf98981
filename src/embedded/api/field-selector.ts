import { badRequest } from './api-error.ts';
import { jsonAt, type Json } from './json.ts';
import type { KubeObject } from './kube-object.ts';
import { events, eventsV1, namespaces, nodes, pods, secrets, type Resource } from './resources.ts';

/** A parsed selector: does the object match? */
export type FieldSelector = (object: KubeObject) => boolean;

const involved = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'];
/** Fields that may be selected besides metadata.name and metadata.namespace (registry strategies of Kubernetes). */
const selectable: readonly (readonly [Resource, readonly string[]])[] = [
  [
    pods,
    [
      'spec.nodeName',
      'spec.restartPolicy',
      'spec.schedulerName',
      'spec.serviceAccountName',
      'spec.hostNetwork',
      'status.phase',
      'status.podIP',
      'status.nominatedNodeName',
    ],
  ],
  [nodes, ['spec.unschedulable']],
  [namespaces, ['status.phase', 'name']],
  [secrets, ['type']],
  [
    events,
    [...involved.map((name) => `involvedObject.${name}`), 'reason', 'reportingComponent', 'source', 'type'],
  ],
  [eventsV1, [...involved.map((name) => `regarding.${name}`), 'reason', 'reportingController', 'type']],
];

// Where a selectable field is not simply the path of its name.
const elsewhere: Readonly<Record<string, readonly string[]>> = {
  source: ['source', 'component'],
  name: ['metadata', 'name'],
};

const asText = (value: Json | undefined, field: string): string => {
  if (value === undefined || value === null)
    return field === 'spec.unschedulable' || field === 'spec.hostNetwork' ? 'false' : '';
  return typeof value === 'string' ? value : JSON.stringify(value);
};

function parseRequirement(resource: Resource, text: string): FieldSelector {
  const match = /^([^=!]+?)\s*(==|!=|=)\s*(.*)$/u.exec(text);
  if (match === null) throw badRequest(`invalid selector: '${text}'; can't understand '${text}'`);
  const [, field = '', operator, raw = ''] = match;
  const known = selectable.find(([each]) => each === resource)?.[1] ?? [];
  if (!['metadata.name', 'metadata.namespace', ...known].includes(field))
    throw badRequest(`field label not supported: ${field}`);
  const path = elsewhere[field] ?? field.split('.');
  // In a field selector a backslash escapes comma, equals sign and backslash.
  const value = raw.replaceAll(/\\(.)/gu, '$1');
  const isEqual: FieldSelector = (object) => asText(jsonAt(object, ...path), field) === value;
  return operator === '!=' ? (object) => !isEqual(object) : isEqual;
}

/** Parses a fieldSelector for a resource; throws 400 for a field that cannot be selected. */
export function parseFieldSelector(resource: Resource, text: string): FieldSelector {
  const parts = text.split(/(?<!\\),/u).filter((part) => part !== '');
  const requirements = parts.map((part) => parseRequirement(resource, part));
  return (object) => requirements.every((matches) => matches(object));
}
