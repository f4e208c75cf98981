import { z } from 'zod';
import { scenarioFile } from './scenario-file.ts';

/** A JSON Schema as far as this room reads one. */
export interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
}

/** JSON Schema (draft 7) of the scenario file, made from the zod source: editors complete and check with it. */
export function scenarioJsonSchema(): JsonSchema {
  return {
    ...z.toJSONSchema(scenarioFile, { io: 'input', target: 'draft-7', unrepresentable: 'any' }),
    title: 'lazybench scenario',
  } as JsonSchema;
}

/** `scenarios/schema.json`, byte for byte. */
export const schemaFileText = (): string => `${JSON.stringify(scenarioJsonSchema(), undefined, 2)}\n`;

/** Keys that the scenario file may have at `path` (keys and indexes from the root). */
export function knownKeysAt(path: readonly PropertyKey[]): readonly string[] {
  let level: readonly JsonSchema[] = [scenarioJsonSchema()];
  for (const step of path) level = level.flatMap((schema) => children(schema, step));
  return [...new Set(level.flatMap(alternatives).flatMap((schema) => Object.keys(schema.properties ?? {})))];
}

const alternatives = (schema: JsonSchema): readonly JsonSchema[] => schema.anyOf ?? [schema];

const children = (schema: JsonSchema, step: PropertyKey): readonly JsonSchema[] =>
  alternatives(schema).flatMap((one) => {
    if (typeof step === 'number') return one.items === undefined ? [] : [one.items];
    const named = one.properties?.[String(step)];
    if (named !== undefined) return [named];
    return typeof one.additionalProperties === 'object' ? [one.additionalProperties] : [];
  });
