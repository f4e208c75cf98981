// The command line. Only this file decides how the process ends, by process.exitCode.
import process from 'node:process';
import { CommanderError, Option, Command } from '@commander-js/extra-typings';
import type { CommandContext, OutputStream } from './console-streams.ts';
import { tellError } from './error-output.ts';
import { listenForInterruption } from './interruption.ts';
import { packageVersion } from './package-root.ts';

const stream = (target: NodeJS.WriteStream): OutputStream => ({
  get isTTY() {
    return target.isTTY;
  },
  get columns() {
    return target.columns || 100;
  },
  write: (text) => void target.write(text),
});

const isDebug = process.argv.includes('--debug');
const stderr = stream(process.stderr);
using interruption = listenForInterruption((text) => stderr.write(text));
const context: CommandContext = {
  stdout: stream(process.stdout),
  stderr,
  isDebug,
  isColorAllowed: (process.env['NO_COLOR'] ?? '') === '',
  signal: interruption.signal,
  command: ['lazybench', ...process.argv.slice(2)],
};
// A reader that has seen enough (`lazybench … | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

const format = (): Option<'--format <format>', undefined, 'text', undefined, false, 'text' | 'json'> =>
  new Option('--format <format>', 'how the result is written to stdout')
    .choices(['text', 'json'] as const)
    .default('text');
const wholeNumber =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (/^\d+$/u.test(text) && value >= least && value <= most) return value;
    throw new CommanderError(
      2,
      'commander.invalidArgument',
      `error: ${text} is not a whole number from ${least} to ${most}`,
    );
  };
const seed = wholeNumber(0, 0xffff_ffff);
const pairs = wholeNumber(1, 100_000);

let exitCode = 0;
const program = new Command('lazybench')
  .description(
    'Does lazy pulling make this image ready sooner on these nodes? Paired OCI/Nydus pod benchmarks.',
  )
  .version(packageVersion())
  .option('--debug', 'show stacks of errors')
  .showHelpAfterError('Run the command with --help to see what it takes.')
  .exitOverride();

program
  .command('quickstart')
  .description('measure a real image on the embedded cluster, in half a minute, and write a report')
  .option('--out <dir>', 'where runs are written', 'reports')
  .addOption(format())
  .option('--seed <n>', 'draws the order of the arms', seed)
  .option('--pairs <n>', 'how many pairs to run', pairs)
  .option('--quiet', 'no progress on stderr')
  .option('--debug', 'show stacks of errors')
  .action(async (options) => {
    const { quickstart } = await import('./quickstart.ts');
    exitCode = await quickstart(options, context);
  });

const clusterOptions = <Args extends unknown[], Opts extends Record<string, unknown>>(
  command: Command<Args, Opts>,
) =>
  command
    .option('--cluster <name>', 'embedded: a cluster inside this process; left out: the kubeconfig context')
    .option('--kubeconfig <file>', 'instead of KUBECONFIG and ~/.kube/config')
    .option('--context <name>', 'context of the kubeconfig')
    .option('--namespace <name>', 'where the pods are made')
    .addOption(format())
    .option('--seed <n>', 'draws the order of the arms, instead of the scenario', seed)
    .option('--pairs <n>', 'run exactly so many pairs, instead of the scenario', pairs)
    .option('--debug', 'show stacks of errors');

clusterOptions(
  program
    .command('run')
    .description('run a scenario: paired pods, evidence, verdict, report')
    .argument('<scenario>', 'scenario file (YAML)'),
)
  .option('--out <dir>', 'where runs are written', 'reports')
  .option('--quiet', 'no progress on stderr')
  .action(async (scenario, options) => {
    const { run } = await import('./run.ts');
    exitCode = await run(scenario, options, context);
  });

clusterOptions(
  program
    .command('plan')
    .description('show schedule, nodes and manifests of a scenario; starts nothing')
    .argument('<scenario>', 'scenario file (YAML)'),
).action(async (scenario, options) => {
  const { plan } = await import('./plan.ts');
  exitCode = await plan(scenario, options, context);
});

program
  .command('report')
  .description('judge a run again and render its reports, from the run directory alone')
  .argument('<run-dir>', 'directory that `lazybench run` wrote')
  .addOption(format())
  .option('--debug', 'show stacks of errors')
  .action(async (directory, options) => {
    const { report } = await import('./report.ts');
    exitCode = await report(directory, options, context);
  });

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Help and version are no errors; everything else commander has explained already, but for our own checks.
    exitCode = error.exitCode === 0 ? 0 : 2;
    if (error.code === 'commander.invalidArgument' && error.message.startsWith('error: '))
      context.stderr.write(`${error.message}\n`);
  } else if (interruption.exitCode === undefined || isDebug) {
    const told = tellError(error, isDebug);
    context.stderr.write(told.text);
    exitCode = told.exitCode;
  }
}
process.exitCode = interruption.exitCode ?? exitCode;
