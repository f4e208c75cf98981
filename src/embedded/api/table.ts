import { isJsonObject, jsonAt, objectsAt, textAt, type Json, type JsonObject } from './json.ts';
import type { KubeObject } from './kube-object.ts';
import { since, type Column } from './table-column.ts';
import { podColumns } from './table-pod.ts';
import {
  configMaps,
  events,
  eventsV1,
  namespaces,
  nodes,
  pods,
  runtimeClasses,
  secrets,
  serviceAccounts,
  type Resource,
} from './resources.ts';

const name: Column = { name: 'Name', cell: (object) => object.metadata.name };
const age: Column = { name: 'Age', cell: (object, nowNs) => since(object.metadata.creationTimestamp, nowNs) };
const size = (value: Json | undefined): string =>
  String(isJsonObject(value) ? Object.keys(value).length : Array.isArray(value) ? value.length : 0);
const text = (title: string, path: readonly string[], missing = ''): Column => ({
  name: title,
  cell: (object) => textAt(object, ...path) ?? missing,
});
const wide = (column: Column): Column => ({ ...column, wide: true });

function nodeStatus(node: KubeObject): string {
  const ready = objectsAt(node, 'status', 'conditions').find((each) => each['type'] === 'Ready');
  const state = ready === undefined ? 'Unknown' : ready['status'] === 'True' ? 'Ready' : 'NotReady';
  return jsonAt(node, 'spec', 'unschedulable') === true ? `${state},SchedulingDisabled` : state;
}

const rolePrefix = 'node-role.kubernetes.io/';
const roles = (node: KubeObject): string =>
  Object.keys(node.metadata.labels ?? {})
    .filter((label) => label.startsWith(rolePrefix))
    .map((label) => label.slice(rolePrefix.length))
    .sort()
    .join(',') || '<none>';

const nodeAddress =
  (kind: string): Column['cell'] =>
  (node) => {
    const found = objectsAt(node, 'status', 'addresses').find((each) => each['type'] === kind);
    return textAt(found, 'address') ?? '<none>';
  };
const nodeInfo = (title: string, field: string): Column =>
  text(title, ['status', 'nodeInfo', field], '<unknown>');

const nodeColumns: readonly Column[] = [
  name,
  { name: 'Status', cell: nodeStatus },
  { name: 'Roles', cell: roles },
  age,
  nodeInfo('Version', 'kubeletVersion'),
  wide({ name: 'Internal-IP', cell: nodeAddress('InternalIP') }),
  wide({ name: 'External-IP', cell: nodeAddress('ExternalIP') }),
  wide(nodeInfo('OS-Image', 'osImage')),
  wide(nodeInfo('Kernel-Version', 'kernelVersion')),
  wide(nodeInfo('Container-Runtime', 'containerRuntimeVersion')),
];

const eventTime = (event: KubeObject, field: string): string | undefined =>
  textAt(event, field) ?? textAt(event, 'eventTime') ?? event.metadata.creationTimestamp;
const eventColumns: readonly Column[] = [
  { name: 'Last Seen', cell: (event, nowNs) => since(eventTime(event, 'lastTimestamp'), nowNs) },
  text('Type', ['type']),
  text('Reason', ['reason']),
  {
    name: 'Object',
    cell: (event) =>
      `${(textAt(event, 'involvedObject', 'kind') ?? '').toLowerCase()}/${textAt(event, 'involvedObject', 'name') ?? ''}`,
  },
  wide(text('Subobject', ['involvedObject', 'fieldPath'])),
  wide({
    name: 'Source',
    cell: (event) =>
      [
        textAt(event, 'source', 'component') ?? textAt(event, 'reportingComponent'),
        textAt(event, 'source', 'host'),
      ]
        .filter((part) => part !== undefined)
        .join(', '),
  }),
  text('Message', ['message']),
  wide({ name: 'First Seen', cell: (event, nowNs) => since(eventTime(event, 'firstTimestamp'), nowNs) }),
  wide({ name: 'Count', cell: (event) => jsonAt(event, 'count') ?? 1 }),
  wide(name),
];

const columnsOf = new Map<Resource, readonly Column[]>([
  [pods, podColumns(name, age)],
  [nodes, nodeColumns],
  [events, eventColumns],
  [namespaces, [name, text('Status', ['status', 'phase']), age]],
  [secrets, [name, text('Type', ['type']), { name: 'Data', cell: (each) => size(each['data']) }, age]],
  [configMaps, [name, { name: 'Data', cell: (each) => size(each['data']) }, age]],
  [serviceAccounts, [name, { name: 'Secrets', cell: (each) => size(each['secrets']) }, age]],
  [runtimeClasses, [name, text('Handler', ['handler']), age]],
]);

/** Does the client ask for tables (`Accept: application/json;as=Table;v=v1;g=meta.k8s.io`)? */
export const wantsTable = (accept: string | undefined): boolean =>
  (accept ?? '').split(',').some((part) => /;\s*as=Table\b/u.test(part) && /;\s*v=v1(?:\s*;|$)/u.test(part));

/** A metav1.Table of objects, as `kubectl get` prints it. */
export function toTable(
  resource: Resource,
  objects: readonly KubeObject[],
  options: {
    readonly nowNs: bigint;
    /** Rows carry: metadata only (default), the whole object, or nothing. */
    readonly include: string;
    readonly metadata: JsonObject;
    /** A watch sends the column definitions with its first table only. */
    readonly definitions: boolean;
  },
): JsonObject {
  const columns = columnsOf.get(resource === eventsV1 ? events : resource) ?? [name, age];
  const carried = (object: KubeObject): JsonObject | undefined => {
    if (options.include === 'None') return undefined;
    if (options.include === 'Object') return object;
    return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata };
  };
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: options.metadata,
    columnDefinitions: options.definitions
      ? columns.map((column) => ({
          name: column.name,
          type: 'string',
          format: column === name || column.name === 'Name' ? 'name' : '',
          description: '',
          priority: column.wide === true ? 1 : 0,
        }))
      : [],
    rows: objects.map((object) => ({
      cells: columns.map((column) => column.cell(object, options.nowNs)),
      object: carried(object),
    })),
  };
}
