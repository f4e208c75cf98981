// Records an access trace (docs/traces.md):
//   sudo node scripts/record-trace.ts --root ROOTFS --ready REGEX --out FILE [--linger MS] [--env NAME=VALUE] -- CMD …
import { writeFile } from 'node:fs/promises';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { formatTrace } from '../src/image/read-trace.ts';
import { describeTrace } from './record-trace/describe-trace.ts';
import { recordTrace } from './record-trace/record-trace.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    root: { type: 'string' },
    ready: { type: 'string' },
    out: { type: 'string' },
    linger: { type: 'string', default: '300' },
    timeout: { type: 'string', default: '120000' },
    env: { type: 'string', multiple: true, default: [] },
  },
});
const { root, ready, out } = values;
if (root === undefined || ready === undefined || out === undefined || positionals.length === 0) {
  console.error('usage: record-trace.ts --root ROOTFS --ready REGEX --out FILE [--linger MS] -- COMMAND …');
  process.exitCode = 2;
} else if (process.getuid?.() !== 0) {
  console.error('Recording needs root: it mounts, calls chroot and reads /proc/PID/pagemap.');
  process.exitCode = 5;
} else {
  const trace = await recordTrace(
    {
      root,
      command: positionals,
      environment: Object.fromEntries(
        values.env.map((pair) => [pair.split('=', 1)[0] ?? '', pair.slice(pair.indexOf('=') + 1)]),
      ),
      ready: new RegExp(ready, 'u'),
      timeoutMs: Number(values.timeout),
      lingerMs: Number(values.linger),
    },
    (line) => console.error(line),
  );
  await writeFile(out, formatTrace(trace));
  console.log(describeTrace(trace));
}
