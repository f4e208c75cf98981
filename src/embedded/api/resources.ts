/** One resource that the API server serves. */
export interface Resource {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly shortNames: readonly string[];
  readonly namespaced: boolean;
  /** Subresources with their verbs and kinds. */
  readonly subresources: readonly {
    readonly name: string;
    readonly kind: string;
    readonly verbs: readonly string[];
  }[];
}

const resource = (
  kind: string,
  plural: string,
  shortNames: readonly string[],
  more: Partial<Resource> = {},
): Resource => ({
  group: '',
  version: 'v1',
  plural,
  singular: kind.toLowerCase(),
  kind,
  shortNames,
  namespaced: true,
  subresources: [],
  ...more,
});

const status = (kind: string): Resource['subresources'][number] => ({
  name: 'status',
  kind,
  verbs: ['get', 'patch', 'update'],
});

export const pods = resource('Pod', 'pods', ['po'], {
  subresources: [
    { name: 'binding', kind: 'Binding', verbs: ['create'] },
    { name: 'log', kind: 'Pod', verbs: ['get'] },
    {
      name: 'proxy',
      kind: 'PodProxyOptions',
      verbs: ['create', 'delete', 'get', 'patch', 'update'],
    },
    status('Pod'),
  ],
});
export const nodes = resource('Node', 'nodes', ['no'], {
  namespaced: false,
  subresources: [status('Node')],
});
export const namespaces = resource('Namespace', 'namespaces', ['ns'], { namespaced: false });
export const events = resource('Event', 'events', ['ev']);
export const configMaps = resource('ConfigMap', 'configmaps', ['cm']);
export const secrets = resource('Secret', 'secrets', []);
export const serviceAccounts = resource('ServiceAccount', 'serviceaccounts', ['sa']);
export const runtimeClasses = resource('RuntimeClass', 'runtimeclasses', [], {
  group: 'node.k8s.io',
  namespaced: false,
});
export const leases = resource('Lease', 'leases', [], { group: 'coordination.k8s.io' });
/** Served from the same objects as {@link events} (event-v1.ts). */
export const eventsV1 = resource('Event', 'events', ['ev'], { group: 'events.k8s.io' });

/** Everything served, in the order of discovery. */
export const resources: readonly Resource[] = [
  configMaps,
  events,
  namespaces,
  nodes,
  pods,
  secrets,
  serviceAccounts,
  eventsV1,
  leases,
  runtimeClasses,
];

/** `v1` or `group/version`. */
export const groupVersion = (of: Pick<Resource, 'group' | 'version'>): string =>
  of.group === '' ? of.version : `${of.group}/${of.version}`;

/** Finds a resource by the parts of its path. */
export const findResource = (group: string, version: string, plural: string): Resource | undefined =>
  resources.find((each) => each.group === group && each.version === version && each.plural === plural);
