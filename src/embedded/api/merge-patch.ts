import { isJsonList, isJsonObject, type Json, type JsonObject } from './json.ts';

/** RFC 7386 JSON merge patch. */
export function applyMergePatch(target: Json | undefined, patch: Json): Json {
  if (!isJsonObject(patch)) return patch;
  const result: Record<string, Json | undefined> = { ...(isJsonObject(target) ? target : {}) };
  for (const [key, value] of Object.entries(patch)) {
    if (value === undefined) continue;
    if (value === null) Reflect.deleteProperty(result, key);
    else result[key] = applyMergePatch(result[key], value);
  }
  return result;
}

// patchMergeKey of k8s.io/api/core/v1 for the lists that are merged; every other list is replaced as a whole.
const mergeKeys: Readonly<Record<string, string>> = {
  containers: 'name',
  env: 'name',
  volumes: 'name',
  volumeMounts: 'mountPath',
  ports: 'containerPort',
  conditions: 'type',
  addresses: 'type',
  imagePullSecrets: 'name',
  ownerReferences: 'uid',
};

function mergeList(target: readonly Json[], patch: readonly Json[], mergeKey: string): readonly Json[] {
  let result = [...target];
  for (const item of patch) {
    if (!isJsonObject(item)) continue;
    const { $patch: directive, ...rest } = item;
    if (directive === 'replace') {
      result = patch.filter((each) => !isJsonObject(each) || each['$patch'] === undefined);
      break;
    }
    const at = result.findIndex((each) => isJsonObject(each) && each[mergeKey] === item[mergeKey]);
    if (directive === 'delete') result = result.filter((_each, index) => index !== at);
    else if (at === -1) result.push(applyStrategicPatch({}, rest));
    else result[at] = applyStrategicPatch(result[at], rest);
  }
  return result;
}

/**
 * Strategic merge patch, the part kubectl's clients use: merged lists, `$patch: delete|replace`, and
 * `$deleteFromPrimitiveList`; element orders and `$retainKeys` are left aside.
 */
export function applyStrategicPatch(target: Json | undefined, patch: JsonObject): Json {
  const { $patch: directive, ...members } = patch;
  if (directive === 'replace') return members;
  const result: Record<string, Json | undefined> = { ...(isJsonObject(target) ? target : {}) };
  for (const [key, value] of Object.entries(members)) {
    if (value === undefined || key === '$retainKeys' || key.startsWith('$setElementOrder/')) continue;
    const here = result[key];
    const removal = /^\$deleteFromPrimitiveList\/(.+)$/u.exec(key)?.[1];
    if (removal !== undefined) {
      const list = result[removal];
      if (isJsonList(list) && isJsonList(value))
        result[removal] = list.filter((item) => !value.includes(item));
      continue;
    }
    const mergeKey = mergeKeys[key];
    if (value === null) Reflect.deleteProperty(result, key);
    else if (isJsonObject(value)) result[key] = applyStrategicPatch(here, value);
    else if (isJsonList(value) && isJsonList(here) && key === 'finalizers')
      result[key] = [...new Set([...here, ...value])];
    else if (isJsonList(value) && mergeKey !== undefined)
      result[key] = mergeList(isJsonList(here) ? here : [], value, mergeKey);
    else result[key] = value;
  }
  return result;
}
