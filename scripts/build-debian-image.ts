// Assembles CI's large image from Debian packages, and records the trace of its program by really running it:
//   sudo node scripts/build-debian-image.ts --out .cache/debian [--mirror URL] [--suite bookworm]
// writes OUT/image (OCI layout, tag latest) and OUT/trace.jsonl. Done already: nothing happens (--force repeats).
// Needs root, debootstrap, umoci and strace. Layers: base, scientific Python, clean-up (whiteouts), app (hard links),
// documentation replaced (an opaque directory).
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, link, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { parseArgs, promisify } from 'node:util';
import { z } from 'zod';
import { formatTrace } from '../src/image/read-trace.ts';
import { debianApp } from './build-debian-image/debian-app.ts';
import { describeTrace } from './record-trace/describe-trace.ts';
import { recordTrace } from './record-trace/record-trace.ts';

const { values } = parseArgs({
  options: {
    out: { type: 'string', default: '.cache/debian' },
    mirror: { type: 'string', default: 'http://deb.debian.org/debian' },
    suite: { type: 'string', default: 'bookworm' },
    force: { type: 'boolean', default: false },
  },
});
// SciPy would be a natural member, but Debian's pulls in a C++ compiler: 400 MB that nobody would ship.
const packages = [
  ...['python3', 'python3-numpy', 'python3-pandas', 'libopenblas0-pthread', 'python3-numexpr'],
  ...['python3-networkx', 'python3-lxml', 'python3-pil', 'python3-grpcio'],
];

const environment = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C.UTF-8',
  DEBIAN_FRONTEND: 'noninteractive',
};

async function run(command: string, args: readonly string[]): Promise<void> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: environment });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => output.push(text));
  const [code] = z
    .tuple([z.number().nullable()])
    .rest(z.unknown())
    .parse(await once(child, 'close'));
  if (code !== 0)
    throw new Error(
      `${command} ${args.join(' ')} ended with ${String(code)}:\n${output.join('').slice(-4000)}`,
    );
}

const startedMs = performance.now();
const step = (what: string): void =>
  console.error(`[${((performance.now() - startedMs) / 1000).toFixed(0)} s] ${what}`);

/** Runs a shell script in the chroot with /proc mounted, in a mount namespace that takes the mount with it. */
const runInChroot = (root: string, script: string): Promise<void> =>
  run('unshare', [
    ...['--mount', '--propagation', 'private', 'sh', '-euc'],
    'mount -t proc proc "$1/proc"; mount --bind /dev "$1/dev"; exec chroot "$1" sh -euc "$2"',
    ...['sh', root, script],
  ]);

/** What the machine's own apt is told about proxies, for the apt inside. */
async function proxySettings(): Promise<string> {
  const { stdout } = await promisify(execFile)('apt-config', ['dump']);
  return stdout
    .split('\n')
    .filter((line) => /^Acquire::https?::Proxy/iu.test(line))
    .join('\n');
}

const out = path.resolve(values.out);
const image = path.join(out, 'image');
const traceFile = path.join(out, 'trace.jsonl');

/** Builds into a scratch folder; the finished image is moved to its place in one step. */
async function buildImage(): Promise<void> {
  const scratch = path.join(out, 'building');
  await rm(scratch, { recursive: true, force: true });
  await mkdir(scratch, { recursive: true });
  const layout = path.join(scratch, 'image');
  const bundle = path.join(scratch, 'bundle');
  const root = path.join(bundle, 'rootfs');
  const inRoot = (name: string): string => path.join(root, name);
  const commitLayer = (createdBy: string): Promise<void> =>
    run('umoci', [
      'repack',
      '--refresh-bundle',
      '--history.created_by',
      createdBy,
      '--image',
      layout,
      bundle,
    ]);

  await run('umoci', ['init', '--layout', layout]);
  await run('umoci', ['new', '--image', layout]);
  await run('umoci', ['unpack', '--image', layout, bundle]);

  step(`base: debootstrap ${values.suite}`);
  await run('debootstrap', ['--variant=minbase', values.suite, root, values.mirror]);
  await runInChroot(root, 'apt-get clean');
  await commitLayer(`debootstrap --variant=minbase ${values.suite}`);

  step(`packages: ${packages.join(' ')}`);
  const buildSettings = inRoot('etc/apt/apt.conf.d/99build');
  await writeFile(buildSettings, `${await proxySettings()}\nDPkg::Options { "--force-unsafe-io"; };\n`);
  await cp('/etc/resolv.conf', inRoot('etc/resolv.conf'), { dereference: true });
  await cp('/etc/hosts', inRoot('etc/hosts'), { dereference: true });
  await runInChroot(
    root,
    'apt-get update -qq; ' +
      `apt-get install -y -qq --no-install-recommends ${packages.join(' ')}; apt-get clean`,
  );
  await Promise.all([buildSettings, inRoot('etc/resolv.conf'), inRoot('etc/hosts')].map((file) => rm(file)));
  await commitLayer(`apt-get install ${packages.join(' ')}`);

  step('clean-up');
  await runInChroot(
    root,
    'rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/*.log /var/log/apt /usr/share/man/*; ' +
      'find /usr/lib/python3 -depth -type d -name tests -exec rm -rf {} +',
  );
  await commitLayer('rm -rf /var/lib/apt/lists /var/cache/apt /usr/share/man; find -name tests');

  // The last two layers are staged and packed by GNU tar: umoci's own insert writes archives without their end.
  const addLayer = async (staged: string): Promise<void> => {
    const tarFile = `${staged}.tar`;
    const [top = ''] = await readdir(staged);
    await run('tar', ['--sort=name', '--owner=root:0', '--group=root:0', '-C', staged, '-cf', tarFile, top]);
    await run('umoci', ['raw', 'add-layer', '--image', layout, tarFile]);
  };

  step('app');
  const app = path.join(scratch, 'app-layer/app');
  await mkdir(path.join(app, 'texts'), { recursive: true });
  await mkdir(path.join(app, 'bin'));
  await writeFile(path.join(app, 'serve.py'), debianApp, { mode: 0o755 });
  await link(path.join(app, 'serve.py'), path.join(app, 'bin/serve'));
  for (const licence of ['GPL-2', 'GPL-3', 'LGPL-2.1', 'Apache-2.0', 'Artistic', 'MPL-2.0'])
    await cp(inRoot(`usr/share/common-licenses/${licence}`), path.join(app, 'texts', licence));
  await link(path.join(app, 'texts/GPL-3'), path.join(app, 'texts/GPL'));
  await addLayer(path.dirname(app));

  step('documentation: copyright files only');
  const docs = path.join(scratch, 'doc-layer/usr/share/doc');
  await mkdir(docs, { recursive: true });
  const copyCopyrights = 'cd "$1"; find . -name copyright -exec cp --parents -P {} "$2" ";"';
  await run('sh', ['-euc', copyCopyrights, 'sh', inRoot('usr/share/doc'), docs]);
  await writeFile(path.join(docs, '.wh..wh..opq'), '');
  await addLayer(path.join(scratch, 'doc-layer'));

  const start = ['--config.entrypoint', '/usr/bin/python3', '--config.cmd', '/app/serve.py'];
  await run('umoci', ['config', '--image', layout, ...start]);
  await run('umoci', ['gc', '--layout', layout]);

  await rm(image, { recursive: true, force: true });
  await rename(layout, image);
  await rm(scratch, { recursive: true, force: true });
}

/** Unpacks the finished image as any node would, and records its program there. */
async function record(): Promise<void> {
  const bundle = path.join(out, 'recording');
  await rm(bundle, { recursive: true, force: true });
  await run('umoci', ['unpack', '--image', image, bundle]);
  const trace = await recordTrace(
    {
      root: path.join(bundle, 'rootfs'),
      command: ['/usr/bin/python3', '/app/serve.py'],
      environment: { LC_ALL: 'C.UTF-8' },
      ready: /^ready/u,
      timeoutMs: 120_000,
      lingerMs: 300,
    },
    step,
  );
  await writeFile(`${traceFile}.part`, formatTrace(trace));
  await rename(`${traceFile}.part`, traceFile);
  await rm(bundle, { recursive: true, force: true });
  step(describeTrace(trace));
}

const manifestShape = z.object({ layers: z.array(z.object({ size: z.number(), digest: z.string() })) });

if (process.getuid?.() !== 0) {
  console.error('Building needs root: debootstrap and the recorder use chroot and mounts.');
  process.exitCode = 5;
} else {
  if (values.force || !existsSync(image)) {
    await buildImage();
    await rm(traceFile, { force: true });
  }
  if (!existsSync(traceFile)) {
    step('recording');
    await record();
  }
  const index = z
    .object({ manifests: z.array(z.object({ digest: z.string() })).length(1) })
    .parse(JSON.parse(await readFile(path.join(image, 'index.json'), 'utf8')));
  const digest = index.manifests[0]?.digest ?? '';
  const manifest = manifestShape.parse(
    JSON.parse(await readFile(path.join(image, 'blobs', digest.replace(':', '/')), 'utf8')),
  );
  const megabytes = manifest.layers.map(({ size }) => (size / 1e6).toFixed(1));
  step(`${image}: ${manifest.layers.length} layers of ${megabytes.join(' + ')} MB compressed`);
}
