// Both programs on one directory, in turn and at once.
import { describe, expect, it } from 'vitest';
import { runScript } from './harness.ts';
import { ours, type Program, real } from './programs.ts';

const TEST_TIMEOUT_MS = 300_000;

type Pair = { readonly name: string; readonly a: Program; readonly b: Program };

/** Each variant of ours beside the real one, in both roles. */
const pairs: readonly Pair[] = ours.flatMap((program) => [
  { name: `real first, ours (${program.name}) second`, a: real, b: program },
  { name: `ours (${program.name}) first, real second`, a: program, b: real },
]);

/** Runs a script in which $A and $B are the two programs. */
async function together(pair: Pair, script: string): Promise<string> {
  const run = await runScript({ script, programs: { A: pair.a, B: pair.b } }, real);
  expect(run.outcome.status, run.stderr).toBe(0);
  return run.outcome.stdout;
}

/** Waits until the command that a queue runs has said that it is there. */
const HOLD_QUEUE = `
"$A" queue-init -q q; "$A" prepare -s s | "$A" queue-write -q q
"$A" queue-process -q q sh -- -c 'touch held; while [ ! -e go ]; do sleep 0.01; done; echo "ran $FSPL_SEQ"' & holder=$!
until_true test -e held
`;
const RELEASE_QUEUE = 'touch go; wait $holder; echo "holder: exit $?"; nextseq; left';

describe.each(pairs)('$name', (pair) => {
  const test = (name: string, body: () => Promise<void>) =>
    it.concurrent(name, { timeout: TEST_TIMEOUT_MS }, async (context) => {
      const reason = pair.a.absent ?? pair.b.absent;
      if (reason !== undefined) context.skip(reason);
      await body();
    });

  test('a run keeps the other out of the queue, in either order', async () => {
    const script = `${HOLD_QUEUE}
for order in Sequence Timestamp; do
  "$B" queue-process -q q --order-by $order echo 2>/dev/null; echo "process: exit $?"
done
"$B" queue-get-next -q q 2>/dev/null; echo "get: exit $?"
"$B" queue-set-next -q q 7 2>/dev/null; echo "set: exit $?"
${RELEASE_QUEUE}`;
    expect(await together(pair, script)).toBe(
      'process: exit 1\nprocess: exit 1\nget: exit 1\nset: exit 1\nran 1\nholder: exit 0\nnextseq 2\nleft:\n',
    );
  });

  test('during a run the other may list, look and write', async () => {
    const script = `${HOLD_QUEUE}
"$B" queue-ls -q q | wc -l
"$B" queue-info -q q -j 1 | grep SEQ
"$B" prepare -s s -- second | "$B" queue-write -q q; echo "write: exit $?"
touch go; wait $holder; echo "holder: exit $?"; nextseq
"$B" queue-process -q q --allow-job-params echo; nextseq`;
    expect(await together(pair, script)).toBe(
      '2\nFSPL_SEQ=1\nwrite: exit 0\nran 1\nholder: exit 0\nnextseq 2\nsecond\nnextseq 3\n',
    );
  });

  // Ours keeps it until the command of the killed processor has ended too.
  test('the queue is free again when the other was killed', async () => {
    const script = `${HOLD_QUEUE}
kill -KILL $holder; wait $holder 2>/dev/null
until_true flock -n q/nextseq.lock true
"$B" queue-process -q q echo -- again; echo "process: exit $?"; nextseq`;
    expect(await together(pair, script)).toBe('again\nprocess: exit 0\nnextseq 2\n');
  });

  test('a packet of the one is run by the other, byte for byte', async () => {
    const script = String.raw`
"$A" queue-init -q q
printf 'payload\000\377\n' >payload
FSPL_SET_WORD=hi FSPL_SET_LINES='a
b' "$A" prepare -s s -i payload -- one 'two words' '' é -- --x >packet
"$A" queue-write -q q <packet; cmp packet q/jobs/fspl-*.fspl && echo 'as written'
"$B" queue-info -q q -j 1 | grep -v -e CTIME -e JOB | sort
"$B" queue-payload -q q -j 1 | cmp - payload && echo 'same payload'
"$A" stdin-info <packet >one; "$B" stdin-info <packet >two; cmp one two && echo 'same to both'
"$B" queue-process -q q --allow-job-params sh -- -c 'printf "<%s>" "$@"; echo "$FSPL_SET_WORD"; cmp - payload' sh
echo "exit $?"; nextseq; left`;
    expect(await together(pair, script)).toBe(
      'as written\nFSPL_PARAM_1=one\nFSPL_PARAM_2=two words\nFSPL_PARAM_3=\nFSPL_PARAM_4=é\nFSPL_PARAM_5=--\n' +
        'FSPL_PARAM_6=--x\nFSPL_SEQ=1\nFSPL_SET_LINES=a\nFSPL_SET_WORD=hi\nb\nsame payload\nsame to both\n' +
        '<one><two words><><é><--><--x>hi\nexit 0\nnextseq 2\nleft:\n',
    );
  });

  test('packets are the same but for the creation time', async () => {
    const script = `
for p in A B; do
  eval program=\\$$p; echo payload >in; echo 300 >s
  FSPL_SET_X=y "$program" prepare -s s -i in -- a 'b c' '' >$p.command
  "$program" prepare-nop -s s >$p.nop; "$program" prepare-fail -s s >$p.fail
done
mkdir A B; for kind in command nop fail; do mv A.$kind A/$kind; mv B.$kind B/$kind; done`;
    const run = await runScript({ script, programs: { A: pair.a, B: pair.b } }, real);
    const below = (directory: string) =>
      Object.fromEntries(
        Object.entries(run.outcome.tree)
          .filter(([path]) => path.startsWith(directory))
          .map(([path, what]) => [path.slice(directory.length), what]),
      );
    expect(Object.keys(below('A/'))).toEqual(['command', 'fail', 'nop']);
    expect(Object.values(below('A/')).join('\n')).toMatch(/^(file 0644 packet 30\d, created run, .*\s*){3}$/);
    expect(below('B/')).toEqual(below('A/'));
  });

  test('the two take turns on one queue', async () => {
    const script = `
"$A" queue-init -q q
for n in 1 2 3 4 5 6; do
  if [ $((n % 2)) = 0 ]; then program=$A; else program=$B; fi
  echo "job $n" | "$program" prepare -s s -i - | "$program" queue-write -q q
done
"$A" queue-ls -q q >one; "$B" queue-ls -q q >two; cmp one two && echo 'same list'
for n in 1 2 3 4 5 6; do
  if [ $((n % 3)) = 0 ]; then program=$A; else program=$B; fi
  "$program" queue-process -q q -n 1 cat
done
nextseq; left`;
    expect(await together(pair, script)).toBe(
      'same list\njob 1\njob 2\njob 3\njob 4\njob 5\njob 6\nnextseq 7\nleft:\n',
    );
  });

  test('what one leaves after a failure the other takes up', async () => {
    const script = `
"$A" queue-init -q q; for n in 1 2 3; do "$A" prepare -s s | "$A" queue-write -q q; done
"$A" queue-process -q q sh -- -c '[ $FSPL_SEQ != 2 ]' 2>/dev/null; echo "exit $?"; nextseq
"$B" queue-process -q q --on-error leave --output-to saveboth false 2>/dev/null; echo "exit $?"; nextseq
ls q/jobs | grep -c 'out$'
"$A" queue-set-next -q q 2; "$B" queue-get-next -q q
"$A" queue-process -q q -n 1 echo -- a; "$B" queue-process -q q echo -- b; nextseq; left | wc -w`;
    expect(await together(pair, script)).toBe(
      'exit 1\nnextseq 2\nexit 0\nnextseq 4\n2\n2\na\nb\nnextseq 4\n3\n',
    );
  });

  test('numbers of one seqfile, taken by both at once, are all different and have no gap', async () => {
    // The real one fails when the lock is held, so both are asked again until they have a packet.
    const each = 25;
    const script = `
take() { # PROGRAM NAME
  n=0
  while [ $n -lt ${each} ]; do
    if "$1" prepare-nop -s s >packets/$2.$n 2>/dev/null; then n=$((n + 1)); fi
  done
}
mkdir packets
take "$A" a1 & first=$!
take "$B" b1 & second=$!
take "$A" a2 & third=$!
take "$B" b2 & fourth=$!
wait $first $second $third $fourth
for p in packets/*; do "$A" stdin-info <$p; done | sed -n 's/^FSPL_SEQ=//p' | sort -n >numbers
seq 1 ${each * 4} | cmp - numbers && echo 'each number once'
cat s`;
    expect(await together(pair, script)).toBe(`each number once\n${each * 4 + 1}\n`);
  });

  test('while one reads a payload, the other may take the next number', async () => {
    // The number is in the file a moment before the lock is free, and the real one does not wait for it.
    const script = `
mkfifo feed; "$A" prepare -s s -i feed >first & first=$!
until_true grep -qs 2 s; until_true flock -n s.lock true
"$B" prepare -s s >second; echo "second: exit $?"
echo x >feed; wait $first; echo "first: exit $?"
for p in first second; do "$B" stdin-info <$p | sed -n 's/^FSPL_SEQ=//p'; done; cat s`;
    expect(await together(pair, script)).toBe('second: exit 0\nfirst: exit 0\n1\n2\n3\n');
  });

  test('an append-only queue of the one is respected by the other', async () => {
    const script = `
"$A" queue-init --append-only -q q
"$B" prepare -s s | "$B" queue-write -q q; echo "write: exit $?"
"$B" queue-process -q q echo 2>/dev/null; echo "process: exit $?"
"$B" queue-ls -q q | wc -l; ls q`;
    expect(await together(pair, script)).toBe('write: exit 0\nprocess: exit 1\n2\njobs\n');
  });
});
