import type { JsonObject } from './json.ts';
import { groupVersion, resources, type Resource } from './resources.ts';

/** Version that the embedded API server answers with; its texts and formats are this version's. */
export const kubernetesVersion = 'v1.34.4';

/** `GET /version` */
export const versionInfo: JsonObject = {
  major: '1',
  minor: '34',
  gitVersion: `${kubernetesVersion}+lazybench-embedded`,
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: 'none',
  compiler: 'none',
  platform: 'linux/amd64',
};

const objectVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

const entries = (resource: Resource): JsonObject[] => [
  {
    name: resource.plural,
    singularName: resource.singular,
    namespaced: resource.namespaced,
    kind: resource.kind,
    verbs: objectVerbs,
    ...(resource.shortNames.length === 0 ? {} : { shortNames: resource.shortNames }),
    ...(resource.plural === 'pods' ? { categories: ['all'] } : {}),
  },
  ...resource.subresources.map((sub) => ({
    name: `${resource.plural}/${sub.name}`,
    singularName: '',
    namespaced: resource.namespaced,
    kind: sub.kind,
    verbs: sub.verbs,
  })),
];

const accessReview: JsonObject = {
  name: 'selfsubjectaccessreviews',
  singularName: 'selfsubjectaccessreview',
  namespaced: false,
  kind: 'SelfSubjectAccessReview',
  verbs: ['create'],
};

/** Group and version pairs served, in order. */
const groupVersions = [
  ...new Map(
    [...resources, { group: 'authorization.k8s.io', version: 'v1' }].map((each) => [
      groupVersion(each),
      { group: each.group, version: each.version },
    ]),
  ).values(),
];

/** `GET /api` */
export const coreVersions = (address: string): JsonObject => ({
  kind: 'APIVersions',
  versions: ['v1'],
  serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: address }],
});

const groupEntry = ({ group, version }: { readonly group: string; readonly version: string }): JsonObject => {
  const entry = { groupVersion: `${group}/${version}`, version };
  return { name: group, versions: [entry], preferredVersion: entry };
};

/** `GET /apis` */
export const groupList: JsonObject = {
  kind: 'APIGroupList',
  apiVersion: 'v1',
  groups: groupVersions.filter(({ group }) => group !== '').map(groupEntry),
};

/** `GET /apis/GROUP`; undefined when there is no such group. */
export function groupInfo(name: string): JsonObject | undefined {
  const found = groupVersions.find(({ group }) => group === name && group !== '');
  return found === undefined ? undefined : { kind: 'APIGroup', apiVersion: 'v1', ...groupEntry(found) };
}

/** `GET /api/v1` and `GET /apis/GROUP/VERSION`; undefined when nothing is served there. */
export function resourceList(group: string, version: string): JsonObject | undefined {
  const wanted = groupVersion({ group, version });
  if (!groupVersions.some((each) => groupVersion(each) === wanted)) return undefined;
  const served = resources.filter((each) => groupVersion(each) === wanted);
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: wanted,
    resources: group === 'authorization.k8s.io' ? [accessReview] : served.flatMap(entries),
  };
}

const openApiPath = ({ group, version }: { readonly group: string; readonly version: string }): string =>
  group === '' ? `api/${version}` : `apis/${group}/${version}`;

/** `GET /openapi/v3`: one document for each group and version. */
export const openApiIndex: JsonObject = {
  paths: Object.fromEntries(
    groupVersions.map((each) => [
      openApiPath(each),
      { serverRelativeURL: `/openapi/v3/${openApiPath(each)}` },
    ]),
  ),
};

/**
 * `GET /openapi/v3/…`: only what kubectl looks up there, namely that PATCH takes `fieldValidation`; it then leaves
 * the checking of fields to the server.
 */
export function openApiDocument(path: string): JsonObject | undefined {
  if (!groupVersions.some((each) => openApiPath(each) === path)) return undefined;
  const operations: readonly (readonly [string, JsonObject])[] = resources
    .filter((each) => openApiPath(each) === path)
    .map((each): readonly [string, JsonObject] => [
      `/${path}/${each.namespaced ? 'namespaces/{namespace}/' : ''}${each.plural}/{name}`,
      {
        patch: {
          parameters: ['dryRun', 'fieldManager', 'fieldValidation'].map((name) => ({
            name,
            in: 'query',
            schema: { type: 'string' },
          })),
          'x-kubernetes-action': 'patch',
          'x-kubernetes-group-version-kind': { group: each.group, version: each.version, kind: each.kind },
          responses: { 200: { description: 'OK' } },
        },
      },
    ]);
  return {
    openapi: '3.0.0',
    info: { title: 'lazybench embedded cluster', version: kubernetesVersion },
    paths: Object.fromEntries(operations),
  };
}
