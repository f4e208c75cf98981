import { splitArguments, readDescriptor, readQuoted } from './strace-arguments.ts';

/** What an strace log says about files: data that calls brought, and mappings (whose reads strace cannot see). */
export type StraceEvent =
  | { readonly kind: 'exec'; readonly atEpochMs: number; readonly path: string }
  | { readonly kind: 'chroot'; readonly atEpochMs: number; readonly path: string }
  | {
      readonly kind: 'read' | 'mmap';
      readonly atEpochMs: number;
      /** Absolute path as strace -y prints it, seen from strace's own root. */
      readonly path: string;
      readonly offset: number;
      readonly length: number;
    };

/** System calls that {@link readStraceLog} needs in the log (`strace -e trace=…`). */
export const tracedSystemCalls = [
  ...['execve', 'execveat', 'chroot', 'clone', 'clone3', 'fork', 'vfork'],
  ...['open', 'openat', 'openat2', 'creat', 'lseek', 'dup', 'dup2', 'dup3', 'fcntl'],
  ...['read', 'pread64', 'readv', 'preadv', 'preadv2', 'sendfile', 'copy_file_range', 'mmap'],
] as const;

interface Call {
  readonly thread: number;
  readonly atEpochMs: number;
  readonly startLine: number;
  readonly endLine: number;
  readonly name: string;
  readonly args: readonly string[];
  /** What follows ` = `: a number, perhaps with a path or an error name behind it. */
  readonly result: string;
}

/** An open file description: threads, forked children and duplicates share its position (open(2)). */
interface OpenFile {
  position: number;
}
type DescriptorTable = Map<number, OpenFile>;

const linePattern = /^(?:\[pid\s+(\d+)\]\s+|(\d+)\s+)?(\d+)\.(\d{6}) (.*)$/u;
const unfinished = ' <unfinished ...>';
const resumedPattern = /^<\.\.\. \w+ resumed>(.*)$/u;
const callPattern = /^(\w+)\((.*)\)\s+= (.+)$/u;

function readCalls(text: string): readonly Call[] {
  const calls: Call[] = [];
  const open = new Map<number, { atEpochMs: number; startLine: number; head: string }>();
  for (const [line, content] of text.split('\n').entries()) {
    const [, bracketed, plain, seconds, micros, body] = linePattern.exec(content) ?? [];
    if (seconds === undefined || micros === undefined || body === undefined) continue;
    const thread = Number(bracketed ?? plain ?? 0);
    const atEpochMs = Number(seconds + micros) / 1000;
    if (body.endsWith(unfinished)) {
      open.set(thread, { atEpochMs, startLine: line, head: body.slice(0, -unfinished.length) });
      continue;
    }
    const tail = resumedPattern.exec(body)?.[1];
    const begun = tail === undefined ? undefined : open.get(thread);
    if (tail !== undefined && begun === undefined) continue;
    open.delete(thread);
    const whole = begun === undefined ? body : begun.head + (tail ?? '');
    const [, name, args, result] = callPattern.exec(whole) ?? [];
    if (name === undefined || args === undefined || result === undefined) continue;
    calls.push({
      thread,
      atEpochMs: begun?.atEpochMs ?? atEpochMs,
      startLine: begun?.startLine ?? line,
      endLine: line,
      name,
      args: splitArguments(args),
      result,
    });
  }
  return calls;
}

const isClone = (name: string): boolean => ['clone', 'clone3', 'fork', 'vfork'].includes(name);

/**
 * Reads the output of `strace -f -ttt -y -s 0 -o FILE` (or `-yy`) into file events in the order in which the calls
 * ended, each with the time at which it began. File positions are followed through dup, fork, threads and lseek, so
 * that a plain `read` has its offset. Lines of other calls, signals and exits are passed over.
 */
export function readStraceLog(text: string): readonly StraceEvent[] {
  const tables = new Map<number, DescriptorTable>();
  const tableOf = (thread: number): DescriptorTable => {
    const known = tables.get(thread);
    if (known !== undefined) return known;
    const made: DescriptorTable = new Map();
    tables.set(thread, made);
    return made;
  };
  const fileOf = (thread: number, descriptor: number): OpenFile => {
    const table = tableOf(thread);
    const known = table.get(descriptor);
    if (known !== undefined) return known;
    const made = { position: 0 };
    table.set(descriptor, made);
    return made;
  };
  const events: StraceEvent[] = [];

  const adopt = (call: Call): void => {
    const child = Number.parseInt(call.result, 10);
    const flags = call.args.join(',');
    const parentTable = tableOf(call.thread);
    tables.set(child, flags.includes('CLONE_FILES') ? parentTable : new Map(parentTable));
  };

  const readAt = (call: Call, fdArgument: string | undefined, offset: number | undefined): void => {
    const file = readDescriptor(fdArgument);
    const length = Number.parseInt(call.result, 10);
    if (file === undefined || !(length > 0)) return;
    const opened = fileOf(call.thread, file.descriptor);
    const from = offset ?? opened.position;
    if (offset === undefined) opened.position += length;
    if (file.path !== undefined)
      events.push({ kind: 'read', atEpochMs: call.atEpochMs, path: file.path, offset: from, length });
  };

  const apply = (call: Call): void => {
    const { args, atEpochMs, name, result } = call;
    const returned = Number.parseInt(result, 10);
    if (Number.isNaN(returned) || (returned < 0 && !result.startsWith('0x'))) return;
    switch (name) {
      case 'execve':
      case 'chroot': {
        const path = readQuoted(args[0]);
        if (path !== undefined) events.push({ kind: name === 'execve' ? 'exec' : 'chroot', atEpochMs, path });
        return;
      }
      case 'execveat': {
        const path = readQuoted(args[1]);
        const folder = readDescriptor(args[0])?.path;
        if (path !== undefined && path !== '') events.push({ kind: 'exec', atEpochMs, path });
        else if (folder !== undefined) events.push({ kind: 'exec', atEpochMs, path: folder });
        return;
      }
      case 'open':
      case 'openat':
      case 'openat2':
      case 'creat':
        tableOf(call.thread).set(returned, { position: 0 });
        return;
      case 'dup':
      case 'dup2':
      case 'dup3':
      case 'fcntl': {
        if (name === 'fcntl' && !(args[1] ?? '').startsWith('F_DUPFD')) return;
        const source = readDescriptor(args[0]);
        if (source !== undefined) tableOf(call.thread).set(returned, fileOf(call.thread, source.descriptor));
        return;
      }
      case 'lseek': {
        const file = readDescriptor(args[0]);
        if (file !== undefined) fileOf(call.thread, file.descriptor).position = returned;
        return;
      }
      case 'read':
      case 'readv':
        readAt(call, args[0], undefined);
        return;
      case 'pread64':
      case 'preadv':
      case 'preadv2': {
        // preadv2 with offset -1 is a read at the file's position.
        const offset = Number(args[3]);
        readAt(call, args[0], offset >= 0 ? offset : undefined);
        return;
      }
      case 'sendfile':
      case 'copy_file_range': {
        const offset = /^\[(\d+)\]/u.exec((name === 'sendfile' ? args[2] : args[1]) ?? '')?.[1];
        readAt(
          call,
          name === 'sendfile' ? args[1] : args[0],
          offset === undefined ? undefined : Number(offset),
        );
        return;
      }
      case 'mmap': {
        const path = readDescriptor(args[4])?.path;
        const [length, offset] = [Number(args[1]), Number(args[5])];
        if (path !== undefined && length > 0 && offset >= 0)
          events.push({ kind: 'mmap', atEpochMs, path, offset, length });
        return;
      }
      default:
    }
  };

  // A child may be logged before its parent's clone returns, so clones take effect where they begin.
  const actions = readCalls(text)
    .map((call) => ({ call, line: isClone(call.name) ? call.startLine : call.endLine }))
    .sort((a, b) => a.line - b.line);
  for (const { call } of actions)
    if (!isClone(call.name)) apply(call);
    else if (Number.parseInt(call.result, 10) > 0) adopt(call);
  return events;
}
