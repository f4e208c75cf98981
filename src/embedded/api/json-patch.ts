import { badRequest } from './api-error.ts';
import { isJsonList, isJsonObject, textAt, type Json } from './json.ts';

const pointer = (text: string): readonly string[] =>
  text === ''
    ? []
    : text
        .slice(1)
        .split('/')
        .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));

const get = (target: Json | undefined, path: readonly string[]): Json | undefined => {
  let here = target;
  for (const key of path)
    here = isJsonList(here) ? here[Number(key)] : isJsonObject(here) ? here[key] : undefined;
  return here;
};

type Edit = 'add' | 'replace' | 'remove';

function edit(target: Json | undefined, path: readonly string[], how: Edit, value: Json | undefined): Json {
  const [key, ...rest] = path;
  if (key === undefined) return value ?? null;
  if (isJsonList(target)) {
    const copy: Json[] = [...target];
    const index = key === '-' ? copy.length : Number(key);
    if (!Number.isInteger(index) || index < 0 || index > copy.length)
      throw badRequest(`json patch: index ${key} is out of range`);
    if (rest.length > 0) copy[index] = edit(copy[index], rest, how, value);
    else copy.splice(index, how === 'add' ? 0 : 1, ...(how === 'remove' ? [] : [value ?? null]));
    return copy;
  }
  if (!isJsonObject(target)) throw badRequest(`json patch: no such path: ${key}`);
  const copy: Record<string, Json | undefined> = { ...target };
  if (rest.length > 0) copy[key] = edit(copy[key], rest, how, value);
  else if (how !== 'add' && copy[key] === undefined) throw badRequest(`json patch: no such path: ${key}`);
  else if (how === 'remove') Reflect.deleteProperty(copy, key);
  else copy[key] = value ?? null;
  return copy;
}

/** RFC 6902 JSON patch; throws 400 when an operation does not apply. */
export function applyJsonPatch(target: Json, patch: Json): Json {
  if (!isJsonList(patch)) throw badRequest('json patch: a list of operations is required');
  let result: Json = target;
  for (const operation of patch) {
    const path = pointer(textAt(operation, 'path') ?? '');
    const from = pointer(textAt(operation, 'from') ?? '');
    const value = isJsonObject(operation) ? operation['value'] : undefined;
    const name = textAt(operation, 'op') ?? '';
    if (name === 'test') {
      if (JSON.stringify(get(result, path)) !== JSON.stringify(value))
        throw badRequest(`json patch: test failed at /${path.join('/')}`);
    } else if (name === 'add' || name === 'replace' || name === 'remove')
      result = edit(result, path, name, value);
    else if (name === 'copy') result = edit(result, path, 'add', get(result, from));
    else if (name === 'move')
      result = edit(edit(result, from, 'remove', undefined), path, 'add', get(result, from));
    else throw badRequest(`json patch: unknown operation ${JSON.stringify(name)}`);
  }
  return result;
}
