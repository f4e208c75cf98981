// Writes scenarios/schema.json, the JSON Schema of the scenario file, from its zod source. A test fails when the
// committed file is not what this script writes.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { schemaFileText } from '../src/scenario/scenario-schema.ts';

const target = path.resolve(import.meta.dirname, '../scenarios/schema.json');
mkdirSync(path.dirname(target), { recursive: true });
writeFileSync(target, schemaFileText());
