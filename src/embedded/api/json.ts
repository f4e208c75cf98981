/** Any JSON value, as read: nothing in the API server changes one in place. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;

/** A JSON object; an `undefined` member is left out when it is written. */
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

/** Parses JSON text; throws SyntaxError like `JSON.parse`. */
export const parseJson = (text: string): Json => JSON.parse(text) as Json;

/** Is the value an object (neither list nor null)? */
export const isJsonObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Is the value a list? (`Array.isArray` does not narrow readonly lists.) */
export const isJsonList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);

/** The value at a path of members, or undefined where the path leaves the tree. */
export function jsonAt(value: Json | undefined, ...path: readonly string[]): Json | undefined {
  let here = value;
  for (const key of path) here = isJsonObject(here) ? here[key] : undefined;
  return here;
}

/** The text at a path; undefined when something else, or nothing, is there. */
export function textAt(value: Json | undefined, ...path: readonly string[]): string | undefined {
  const found = jsonAt(value, ...path);
  return typeof found === 'string' ? found : undefined;
}

/** The objects of the list at a path; empty when there is no list. */
export function objectsAt(value: Json | undefined, ...path: readonly string[]): readonly JsonObject[] {
  const found = jsonAt(value, ...path);
  return isJsonList(found) ? found.filter((item) => isJsonObject(item)) : [];
}
