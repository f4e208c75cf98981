import { randomBytes } from 'node:crypto';
import { ApiError, badRequest, forbidden, invalid, notFound, type FieldError } from './api-error.ts';
import { isJsonObject, jsonAt, objectsAt, textAt, type Json, type JsonObject } from './json.ts';
import type { NewObject, ObjectStore } from './object-store.ts';
import { defaultPod } from './pod-defaults.ts';
import { podSpecErrors } from './pod-validation.ts';
import { podSpecProblem } from './pod.ts';
import { parseQuantityMilli } from './quantity.ts';
import { groupVersion, namespaces, pods, runtimeClasses, type Resource } from './resources.ts';

const subdomain = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/u;
const subdomainMessage =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and " +
  "end with an alphanumeric character (e.g. 'example.com', regex used for validation is " +
  "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

function nameErrors(name: string): readonly FieldError[] {
  if (name === '')
    return [
      {
        field: 'metadata.name',
        reason: 'FieldValueRequired',
        message: 'Required value: name or generateName is required',
      },
    ];
  if (name.length <= 253 && subdomain.test(name)) return [];
  const why = name.length > 253 ? 'must be no more than 253 characters' : subdomainMessage;
  return [
    {
      field: 'metadata.name',
      reason: 'FieldValueInvalid',
      message: `Invalid value: ${JSON.stringify(name)}: ${why}`,
    },
  ];
}

/** Checks that a body is of the resource's kind; throws 400. */
export function requireKind(resource: Resource, body: Json): JsonObject {
  if (!isJsonObject(body))
    throw badRequest(`the object provided is unrecognized (must be of type ${resource.kind})`);
  const kind = textAt(body, 'kind') ?? resource.kind;
  const version = textAt(body, 'apiVersion') ?? groupVersion(resource);
  if (kind !== resource.kind || version !== groupVersion(resource))
    throw badRequest(
      `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${resource.kind}: unknown conversion`,
    );
  return body;
}

function requireQuantities(pod: JsonObject): void {
  for (const container of objectsAt(pod, 'spec', 'containers'))
    for (const kind of ['requests', 'limits']) {
      const amounts = jsonAt(container, 'resources', kind);
      for (const amount of Object.values(isJsonObject(amounts) ? amounts : {}))
        if (typeof amount !== 'string' || parseQuantityMilli(amount) === undefined)
          throw badRequest(
            'Pod in version "v1" cannot be handled as a Pod: quantities must match the regular expression ' +
              "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
          );
    }
}

// The letters of k8s.io/apimachinery/pkg/util/rand: no vowels, no look-alikes.
const alphabet = 'bcdfghjklmnpqrstvwxz2456789';
const suffix = (): string =>
  [...randomBytes(5)].map((byte) => alphabet[byte % alphabet.length] ?? 'x').join('');

function admitPod(store: ObjectStore, name: string, body: JsonObject): JsonObject {
  const pod = defaultPod(body);
  requireQuantities(pod);
  const errors = [...nameErrors(name), ...podSpecErrors(pod)];
  if (errors.length > 0) throw invalid(pods, name, errors);
  const problem = podSpecProblem(pod['spec']);
  if (problem !== undefined)
    throw badRequest(`Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal ${problem}`);
  const runtimeClass = textAt(pod, 'spec', 'runtimeClassName');
  if (
    runtimeClass !== undefined &&
    store.get(runtimeClasses, { namespace: undefined, name: runtimeClass }) === undefined
  )
    throw forbidden(pods, name, `pod rejected: RuntimeClass ${JSON.stringify(runtimeClass)} not found`);
  return pod;
}

function requireNamespace(store: ObjectStore, resource: Resource, namespace: string, name: string): void {
  const found = store.get(namespaces, { namespace: undefined, name: namespace });
  if (found === undefined) throw notFound(namespaces, namespace);
  if (found.metadata.deletionTimestamp !== undefined)
    throw new ApiError(
      403,
      'Forbidden',
      `${resource.plural} "${name}" is forbidden: unable to create new content in namespace ${namespace} because it is being terminated`,
      {
        name,
        kind: resource.plural,
        causes: [
          {
            reason: 'NamespaceTerminating',
            message: `namespace ${namespace} is being terminated`,
            field: 'metadata.namespace',
          },
        ],
      },
    );
}

/** Defaults and checks a new object, as the API server's admission chain would; throws 400, 403, 404 or 422. */
export function admitNew(
  store: ObjectStore,
  resource: Resource,
  namespace: string | undefined,
  json: Json,
): NewObject {
  const body = requireKind(resource, json);
  const given = isJsonObject(body['metadata']) ? body['metadata'] : {};
  const bodyNamespace = textAt(given, 'namespace');
  if (bodyNamespace !== undefined && bodyNamespace !== '' && bodyNamespace !== namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  const generateName = textAt(given, 'generateName') ?? '';
  const wanted = textAt(given, 'name') ?? '';
  const name = wanted === '' && generateName !== '' ? `${generateName.slice(0, 58)}${suffix()}` : wanted;
  const {
    resourceVersion: _version,
    uid: _uid,
    selfLink: _link,
    deletionTimestamp: _deleted,
    ...kept
  } = given;
  if (textAt(given, 'resourceVersion') !== undefined && textAt(given, 'resourceVersion') !== '')
    throw badRequest('resourceVersion should not be set on objects to be created');
  if (resource !== pods) {
    const errors = nameErrors(name);
    if (errors.length > 0) throw invalid(resource, name, errors);
  }
  if (namespace !== undefined) requireNamespace(store, resource, namespace, name);
  let admitted: JsonObject = body;
  if (resource === pods) admitted = admitPod(store, name, body);
  if (resource === namespaces)
    admitted = { ...body, spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } };
  return {
    ...admitted,
    metadata: {
      ...kept,
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(resource === pods ? { generation: 1 } : {}),
      ...(resource === namespaces
        ? {
            labels: {
              ...(isJsonObject(given['labels']) ? given['labels'] : {}),
              'kubernetes.io/metadata.name': name,
            },
          }
        : {}),
    },
  };
}
