import { cp, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { HarnessError } from '../errors/harness-error.ts';
import { runCommand as tryCommand } from '../image/run-command.ts';
import { runCommand } from './command.ts';

/** One Go module of `src/lab/modules`: its go.mod and go.sum pin every version and checksum that it is built from. */
interface GoBuild {
  readonly kind: 'go';
  /** Folder under `src/lab/modules`. */
  readonly module: string;
  /** Path of the Go module that the version belongs to. */
  readonly source: string;
  readonly version: string;
  readonly commands: readonly string[];
  readonly tags?: string;
  /** Version that the linker writes into the binary: built from a module, git cannot tell. */
  readonly versionVariables?: readonly string[];
}

/** A crate that `cargo install --locked` builds with the lock file (and so the checksums) it was published with. */
interface CargoBuild {
  readonly kind: 'cargo';
  readonly crate: string;
  readonly version: string;
  readonly commands: readonly string[];
}

const kubernetesVersion = 'v1.34.4';

/** Everything a lab is built from. Only the Go module proxy and the crate registry are asked. */
export const labBuilds: readonly (GoBuild | CargoBuild)[] = [
  {
    kind: 'go',
    module: 'containerd',
    source: 'github.com/containerd/containerd/v2',
    version: 'v2.2.9',
    commands: [
      'github.com/containerd/containerd/v2/cmd/containerd',
      'github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2',
      'github.com/containerd/containerd/v2/cmd/ctr',
    ],
    tags: 'no_btrfs,no_devmapper,no_zfs',
    versionVariables: ['github.com/containerd/containerd/v2/version.Version=2.2.9'],
  },
  {
    kind: 'go',
    module: 'nydus-snapshotter',
    source: 'github.com/containerd/nydus-snapshotter',
    version: 'v0.15.15',
    commands: ['github.com/containerd/nydus-snapshotter/cmd/containerd-nydus-grpc'],
  },
  { kind: 'go', module: 'k6', source: 'go.k6.io/k6', version: 'v1.8.1', commands: ['go.k6.io/k6'] },
  {
    kind: 'go',
    module: 'kwok',
    source: 'sigs.k8s.io/kwok',
    version: 'v0.8.0',
    commands: ['sigs.k8s.io/kwok/cmd/kwok'],
  },
  { kind: 'cargo', crate: 'nydus-rs', version: '2.2.0', commands: ['nydusd', 'nydus-image'] },
  {
    kind: 'go',
    module: 'kubernetes',
    source: 'k8s.io/kubernetes',
    version: kubernetesVersion,
    commands: ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubelet'].map(
      (command) => `k8s.io/kubernetes/cmd/${command}`,
    ),
    versionVariables: [
      `k8s.io/component-base/version.gitVersion=${kubernetesVersion}`,
      'k8s.io/component-base/version.gitMajor=1',
      'k8s.io/component-base/version.gitMinor=34',
    ],
  },
];

/** What `lab build` takes. */
export interface LabBuildOptions {
  /** Folder that gets the binaries; those that are there already, in the same version, are not built again. */
  readonly binDirectory: string;
  /** `src/lab/modules` of this package. */
  readonly modulesDirectory: string;
  readonly onProgress: (step: string) => void;
  readonly signal?: AbortSignal;
  /** Build only these modules and crates; all without. */
  readonly only?: readonly string[];
}

/** Builds the lab's binaries. Resumable: each finished binary stays, and VERSIONS.json says what it is. */
export async function buildLab(options: LabBuildOptions): Promise<void> {
  const { binDirectory, onProgress } = options;
  await mkdir(binDirectory, { recursive: true });
  const wanted = labBuilds.filter((build) => options.only?.includes(nameOf(build)) ?? true);
  const unknown = options.only?.filter((name) => !labBuilds.some((build) => nameOf(build) === name)) ?? [];
  if (unknown.length > 0) {
    throw new HarnessError('USAGE', `lab build does not know ${unknown.join(', ')}`, {
      hint: `It knows ${labBuilds.map(nameOf).join(', ')}.`,
    });
  }
  const versions = await readVersions(binDirectory);
  const missing = wanted.flatMap((build) =>
    build.commands
      .filter((command) => versions.get(path.basename(command)) !== versionOf(build))
      .map((command) => ({ build, command })),
  );
  await requireToolchains(missing.map(({ build }) => build));
  for (const [done, { build, command }] of missing.entries()) {
    const binary = path.basename(command);
    onProgress(`${String(done + 1)}/${String(missing.length)} ${binary} (${versionOf(build)})`);
    if (build.kind === 'go') await buildGo(build, command, options);
    else await buildCargo(build, command, options);
    versions.set(binary, versionOf(build));
    await writeVersions(binDirectory, versions);
  }
}

const nameOf = (build: GoBuild | CargoBuild): string => (build.kind === 'go' ? build.module : build.crate);
const versionOf = (build: GoBuild | CargoBuild): string =>
  `${build.kind === 'go' ? build.source : build.crate} ${build.version}`;

async function buildGo(build: GoBuild, command: string, options: LabBuildOptions): Promise<void> {
  // Go wants to write beside go.mod; the package's own folder may be read-only.
  const work = path.join(options.binDirectory, '..', 'build', build.module);
  await mkdir(work, { recursive: true });
  await cp(path.join(options.modulesDirectory, build.module), work, { recursive: true });
  const target = path.join(options.binDirectory, path.basename(command));
  const variables = (build.versionVariables ?? []).map((variable) => `-X ${variable}`).join(' ');
  await runCommand(
    [
      'go',
      'build',
      '-mod=readonly',
      '-trimpath',
      '-ldflags',
      `-s -w ${variables}`.trim(),
      ...(build.tags === undefined ? [] : ['-tags', build.tags]),
      '-o',
      `${target}.part`,
      command,
    ],
    { cwd: work, signal: options.signal, environment: { CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off' } },
  );
  await rename(`${target}.part`, target);
}

async function buildCargo(build: CargoBuild, command: string, options: LabBuildOptions): Promise<void> {
  const root = path.join(options.binDirectory, '..', 'build', build.crate);
  await runCommand(
    [
      'cargo',
      'install',
      build.crate,
      '--version',
      build.version,
      '--locked',
      '--bin',
      command,
      '--root',
      root,
      '--target-dir',
      path.join(root, 'target'),
      '--force',
    ],
    { signal: options.signal },
  );
  await cp(path.join(root, 'bin', command), path.join(options.binDirectory, command));
}

async function requireToolchains(builds: readonly (GoBuild | CargoBuild)[]): Promise<void> {
  for (const [kind, probe, hint] of [
    ['go', ['go', 'version'], 'Install Go 1.26 or newer.'],
    ['cargo', ['cargo', '--version'], 'Install Rust 1.95 or newer, with cmake, gcc and make.'],
  ] as const) {
    if (!builds.some((build) => build.kind === kind)) continue;
    const isThere = (await tryCommand(['sh', '-c', 'command -v "$1"', 'sh', probe[0]])).exitCode === 0;
    if (!isThere) throw new HarnessError('TOOL_MISSING', `lab build needs \`${probe[0]}\``, { hint });
  }
}

/** Binary → `module version`, as VERSIONS.json beside the binaries has it. */
async function readVersions(binDirectory: string): Promise<Map<string, string>> {
  try {
    const value: unknown = JSON.parse(await readFile(path.join(binDirectory, '../VERSIONS.json'), 'utf8'));
    const entries = typeof value === 'object' && value !== null ? Object.entries(value) : [];
    return new Map(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
  } catch {
    return new Map();
  }
}

async function writeVersions(binDirectory: string, versions: ReadonlyMap<string, string>): Promise<void> {
  const sorted = Object.fromEntries([...versions].sort(([a], [b]) => a.localeCompare(b)));
  await writeFile(path.join(binDirectory, '../VERSIONS.json'), `${JSON.stringify(sorted, undefined, 2)}\n`);
}
