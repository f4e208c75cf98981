import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { HarnessError } from '../errors/harness-error.ts';
import { layOutLab, type LabLayout } from './lab-layout.ts';

const labState = z.strictObject({
  schemaVersion: z.literal(1),
  nodes: z.number().int(),
  subnetPrefix: z.string(),
  binDirectory: z.string(),
  startedAt: z.string(),
  /** `starting` until the last node is Ready: a lab that stays so was interrupted. */
  stage: z.enum(['starting', 'up']),
});
export type LabState = z.infer<typeof labState>;

const fileOf = (directory: string): string => path.join(directory, 'lab.json');

/** Writes down what is being started, before anything is: `down` must find it after a crash. */
export async function writeLabState(directory: string, state: LabState): Promise<void> {
  await mkdir(directory, { recursive: true });
  await writeFile(fileOf(directory), `${JSON.stringify(state, undefined, 2)}\n`);
}

/** The lab in `directory`; undefined when there is none. */
export async function readLabState(
  directory: string,
): Promise<{ readonly state: LabState; readonly layout: LabLayout } | undefined> {
  let text: string;
  try {
    text = await readFile(fileOf(directory), 'utf8');
  } catch {
    return undefined;
  }
  const parsed = labState.safeParse(JSON.parse(text));
  if (!parsed.success)
    throw new HarnessError('LAB_FAILED', `${fileOf(directory)} is damaged`, { cause: parsed.error });
  const state = parsed.data;
  return { state, layout: layOutLab({ directory, nodes: state.nodes, subnetPrefix: state.subnetPrefix }) };
}

/** Like {@link readLabState}, for commands that need a lab: LAB_MISSING without one. */
export async function requireLab(
  directory: string,
): Promise<{ readonly state: LabState; readonly layout: LabLayout }> {
  const lab = await readLabState(directory);
  if (lab === undefined) throw new HarnessError('LAB_MISSING', `there is no lab in ${directory}`);
  return lab;
}
