import { isJsonObject, jsonAt, objectsAt, type Json, type JsonObject } from './json.ts';

const pullPolicyOf = (image: Json | undefined): string => {
  const lastPart = typeof image === 'string' ? (image.split('/').at(-1) ?? '') : '';
  const tagged = lastPart.includes(':') || lastPart.includes('@');
  return tagged && !lastPart.endsWith(':latest') ? 'IfNotPresent' : 'Always';
};

const quantities = (value: Json | undefined): JsonObject | undefined =>
  isJsonObject(value)
    ? Object.fromEntries(
        Object.entries(value).map(([name, amount]) => [
          name,
          typeof amount === 'number' ? String(amount) : amount,
        ]),
      )
    : undefined;

function defaultResources(resources: Json | undefined): JsonObject {
  const limits = quantities(jsonAt(resources, 'limits'));
  const requests = quantities(jsonAt(resources, 'requests'));
  if (limits === undefined && requests === undefined) return {};
  // A limit without a request requests as much (SetDefaults_Pod).
  const all = { ...limits, ...requests };
  return { ...(limits === undefined ? {} : { limits }), requests: all };
}

const defaultContainer = (container: JsonObject): JsonObject => ({
  ...container,
  resources: defaultResources(container['resources']),
  terminationMessagePath: container['terminationMessagePath'] ?? '/dev/termination-log',
  terminationMessagePolicy: container['terminationMessagePolicy'] ?? 'File',
  imagePullPolicy: container['imagePullPolicy'] ?? pullPolicyOf(container['image']),
});

// What the DefaultTolerationSeconds admission plug-in adds.
const nodeTroubles = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'].map((key) => ({
  key,
  operator: 'Exists',
  effect: 'NoExecute',
  tolerationSeconds: 300,
}));

/** pkg/apis/core/v1/helper/qos: by the requests and limits of cpu and memory. */
function qosClassOf(containers: readonly JsonObject[]): string {
  const names = ['cpu', 'memory'];
  const amounts = (container: JsonObject, kind: string): readonly (Json | undefined)[] =>
    names.map((name) => jsonAt(container, 'resources', kind, name));
  const all = containers.flatMap((each) => [...amounts(each, 'requests'), ...amounts(each, 'limits')]);
  if (all.every((amount) => amount === undefined)) return 'BestEffort';
  const guaranteed = containers.every((each) => {
    const limits = amounts(each, 'limits');
    const requests = amounts(each, 'requests');
    return limits.every((limit, index) => limit !== undefined && limit === requests[index]);
  });
  return guaranteed ? 'Guaranteed' : 'Burstable';
}

/** Fills in what a client may leave out of a pod's spec, and the status a new pod has. */
export function defaultPod(pod: JsonObject): JsonObject {
  const spec = isJsonObject(pod['spec']) ? pod['spec'] : {};
  const containers = objectsAt(spec, 'containers').map(defaultContainer);
  const tolerations = objectsAt(spec, 'tolerations');
  const missing = nodeTroubles.filter(({ key }) =>
    tolerations.every((each) => each['key'] !== key && each['key'] !== undefined),
  );
  return {
    ...pod,
    spec: {
      ...spec,
      containers,
      restartPolicy: spec['restartPolicy'] ?? 'Always',
      terminationGracePeriodSeconds: spec['terminationGracePeriodSeconds'] ?? 30,
      dnsPolicy: spec['dnsPolicy'] ?? 'ClusterFirst',
      securityContext: spec['securityContext'] ?? {},
      schedulerName: spec['schedulerName'] ?? 'default-scheduler',
      tolerations: [...tolerations, ...missing],
      priority: 0,
      enableServiceLinks: spec['enableServiceLinks'] ?? true,
      preemptionPolicy: 'PreemptLowerPriority',
    },
    status: { phase: 'Pending', qosClass: qosClassOf(containers) },
  };
}
