import { fromEventsV1, toEventsV1 } from './event-v1.ts';
import { isJsonObject, type Json } from './json.ts';
import type { KubeObject } from './kube-object.ts';
import { requireKind } from './object-admission.ts';
import { events, eventsV1, type Resource } from './resources.ts';

/** How a resource of the API maps to what is stored: the same, but for the second group that events are served in. */
export interface ServedResource {
  readonly served: Resource;
  readonly stored: Resource;
  readonly show: (object: KubeObject) => KubeObject;
  readonly accept: (body: Json) => Json;
}

/** The mapping for a resource. */
export function servedResource(resource: Resource): ServedResource {
  if (resource !== eventsV1)
    return { served: resource, stored: resource, show: (object) => object, accept: (body) => body };
  return {
    served: eventsV1,
    stored: events,
    show: toEventsV1,
    accept: (body) => (isJsonObject(body) ? fromEventsV1(requireKind(eventsV1, body)) : body),
  };
}
