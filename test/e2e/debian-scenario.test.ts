import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { summary as summarySchema } from '../../src/decision/summary.ts';
import { runCli } from '../support/run-cli.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { suite } from '../support/suite.ts';
import { requireRoot, requireTool } from '../support/tool.ts';

const test = suite('a scenario on an image of Debian packages');
const root = path.resolve(import.meta.dirname, '../..');
const run = promisify(execFile);

test(
  'is measured from the file to the report, with every proof and closed byte accounts',
  async () => {
    requireRoot();
    for (const tool of ['debootstrap', 'umoci', 'strace']) requireTool(tool);
    // Makes what is missing only: a second run starts from the image that is there.
    await run(process.execPath, [path.join(root, 'scripts/build-debian-image.ts')], {
      cwd: root,
      maxBuffer: 64 * 2 ** 20,
    });
    await using scratch = await scratchDirectory();
    const scenario = path.join(root, 'scenarios/ci-debian.yaml');
    const result = await runCli(['run', scenario, '--cluster', 'embedded', '--out', scratch.path]);
    assert.equal(result.exitCode, 0, result.stderr);

    const report = path.resolve(process.cwd(), result.stdout.trimEnd().split('\n').at(-1) ?? '');
    const folder = path.dirname(report);
    assert.match(await readFile(report, 'utf8'), /^<!doctype html>/iu);
    const summary = summarySchema.parse(
      JSON.parse(await readFile(path.join(folder, 'summary.json'), 'utf8')),
    );
    assert.deepEqual(
      summary.counts.map(({ arm, completed }) => [arm, completed]),
      [
        ['oci', 6],
        ['nydus', 6],
      ],
    );
    for (const { name, arm, proved } of summary.proofs) assert.equal(proved, 6, `${arm}: ${name}`);
    for (const { arm, worstRatio } of summary.closure) assert.ok(worstRatio <= 0.01, `${arm}: ${worstRatio}`);
    const bytes = summary.comparisons.find(({ metric }) => metric === 'bytesAtEnd');
    assert.ok((bytes?.baselineSamples?.median ?? 0) > 100e6, 'the image has at least 100 MB');
    // The program does not read the whole image, so lazily pulled it moves less; how much less is the trace's matter.
    assert.ok((bytes?.effect?.ratio ?? 1) < 0.8);
  },
  { limitMs: 20 * 60_000 },
);
