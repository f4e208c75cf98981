import assert from 'node:assert/strict';
import { readStraceLog, type StraceEvent } from '../../src/image/strace-log.ts';
import { suite } from '../support/suite.ts';

const test = suite('strace log');

/** Numbers the lines with thread and time: `10 openat(…)` becomes `10 1.000001 openat(…)`. */
const log = (...lines: readonly string[]): readonly StraceEvent[] =>
  readStraceLog(
    lines
      .map((line, index) => line.replace(/^(\d+) /u, `$1 1.${String(index + 1).padStart(6, '0')} `))
      .join('\n'),
  );
const ranges = (events: readonly StraceEvent[]): readonly string[] =>
  events.map((event) =>
    event.kind === 'read' || event.kind === 'mmap'
      ? `${event.kind} ${event.path} ${event.offset}+${event.length}`
      : `${event.kind} ${event.path}`,
  );

test('follows the position of plain reads, lseek and positioned reads', () => {
  assert.deepEqual(
    ranges(
      log(
        '10 openat(AT_FDCWD</r>, "a", O_RDONLY|O_CLOEXEC) = 3</r/a>',
        '10 read(3</r/a>, ""..., 4096) = 4096',
        '10 pread64(3</r/a>, ""..., 64, 832) = 64',
        '10 readv(3</r/a>, [{iov_base=""..., iov_len=10}, {iov_base=""..., iov_len=20}], 2) = 30',
        '10 lseek(3</r/a>, 100, SEEK_SET)         = 100',
        '10 read(3</r/a>, ""..., 4096) = 7',
        '10 preadv2(3</r/a>, [{iov_base=""..., iov_len=5}], 1, -1, 0) = 5',
        '10 read(3</r/a>, "", 4096) = 0',
        '10 read(3</r/a>, 0x7ff, 4096) = -1 EINTR (Interrupted system call)',
      ),
    ),
    ['read /r/a 0+4096', 'read /r/a 832+64', 'read /r/a 4096+30', 'read /r/a 100+7', 'read /r/a 107+5'],
  );
});

test('starts again at 0 when a descriptor number is opened anew', () => {
  assert.deepEqual(
    ranges(
      log(
        '10 openat(AT_FDCWD</r>, "a", O_RDONLY) = 3</r/a>',
        '10 read(3</r/a>, ""..., 5) = 5',
        '10 openat(AT_FDCWD</r>, "b", O_RDONLY) = 3</r/b>',
        '10 read(3</r/b>, ""..., 5) = 5',
      ),
    ),
    ['read /r/a 0+5', 'read /r/b 0+5'],
  );
});

test('shares positions through dup and fork, as open file descriptions do', () => {
  assert.deepEqual(
    ranges(
      log(
        '10 openat(AT_FDCWD</r>, "a", O_RDONLY) = 3</r/a>',
        '10 dup2(3</r/a>, 0) = 0</r/a>',
        '10 read(0</r/a>, ""..., 1) = 1',
        '10 fcntl(3</r/a>, F_DUPFD_CLOEXEC, 10) = 10</r/a>',
        '10 read(10</r/a>, ""..., 1) = 1',
        '10 clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f) = 11',
        '11 read(0</r/a>, ""..., 1) = 1',
        '11 openat(AT_FDCWD</r>, "b", O_RDONLY) = 3</r/b>',
        '10 read(3</r/a>, ""..., 1) = 1',
      ),
    ),
    ['read /r/a 0+1', 'read /r/a 1+1', 'read /r/a 2+1', 'read /r/a 3+1'],
  );
});

test('knows a thread that speaks before its clone has returned, and its shared descriptors', () => {
  assert.deepEqual(
    ranges(
      log(
        '10 clone3({flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_THREAD, exit_signal=0} <unfinished ...>',
        '12 openat(AT_FDCWD</r>, "a", O_RDONLY) = 4</r/a>',
        '12 read(4</r/a>, ""..., 8) = 8',
        '10 <... clone3 resumed> => {parent_tid=[12]}, 88) = 12',
        '10 read(4</r/a>, ""..., 8) = 8',
      ),
    ),
    ['read /r/a 0+8', 'read /r/a 8+8'],
  );
});

test('joins interrupted lines and keeps the time at which the call began', () => {
  const [event] = log(
    '10 read(3</r/a>,  <unfinished ...>',
    '11 read(5</r/b>,  <unfinished ...>',
    '10 <... read resumed>""..., 100) = 42',
  );
  assert.deepEqual(event, { kind: 'read', atEpochMs: 1000.001, path: '/r/a', offset: 0, length: 42 });
});

test('gives mappings, program starts and the change of root, without failed ones', () => {
  assert.deepEqual(
    ranges(
      log(
        '10 chroot("/r")                          = 0',
        '10 execve("/usr/local/bin/app", ["app", "x, y"], 0x55 /* 3 vars */) = -1 ENOENT (No such file)',
        '10 execve("/usr/bin/app", ["app", "x, y"], 0x55 /* 3 vars */) = 0',
        '10 mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7fe8',
        '10 mmap(0x7f10, 4096, PROT_READ|PROT_EXEC, MAP_PRIVATE|MAP_FIXED, 3</r/lib/c.so>, 0x26000) = 0x7f10',
      ),
    ),
    ['chroot /r', 'exec /usr/bin/app', 'mmap /r/lib/c.so 155648+4096'],
  );
});

test('reads sendfile and copy_file_range from their source', () => {
  assert.deepEqual(
    ranges(
      log(
        '10 sendfile(1<pipe:[5]>, 3</r/a>, NULL, 65536) = 100',
        '10 sendfile(1<pipe:[5]>, 3</r/a>, [4096] => [4196], 65536) = 100',
        '10 copy_file_range(3</r/a>, NULL, 4</r/b>, NULL, 1000, 0) = 50',
      ),
    ),
    ['read /r/a 0+100', 'read /r/a 4096+100', 'read /r/a 100+50'],
  );
});

test('leaves out pipes, sockets and deleted files, and understands the device notation of -yy', () => {
  assert.deepEqual(
    ranges(
      log(
        '10 read(3<pipe:[47105]>, ""..., 10) = 10',
        '10 read(4<TCP:[127.0.0.1:1->127.0.0.1:2]>, ""..., 10) = 10',
        '10 read(5</r/tmp/x>(deleted), ""..., 10) = 10',
        '10 read(6</dev/urandom<char 1:9>>, ""..., 10) = 10',
        '10 --- SIGCHLD {si_signo=SIGCHLD, si_pid=11} ---',
        '10 +++ exited with 0 +++',
      ),
    ),
    ['read /dev/urandom 0+10'],
  );
});

test('undoes the escapes in names', () => {
  assert.deepEqual(
    ranges(
      log(
        String.raw`10 read(3</r/a, \74b\76 (x) = \303\244>, ""..., 10) = 10`,
        String.raw`10 execve("/r/\"q\"\n", [], 0x1 /* 0 vars */) = 0`,
      ),
    ),
    ['read /r/a, <b> (x) = ä 0+10', 'exec /r/"q"\n'],
  );
});
