// The packets that prepare, prepare-nop and prepare-fail write.
import type { Scenario } from '../scenario.ts';

export const prepare: readonly Scenario[] = [
  {
    name: 'prepare: the shortest packets',
    script: 'fspl prepare -s - >a; fspl prepare-nop -s - >b; fspl prepare-fail -s - >c',
  },
  {
    name: 'prepare: numbers of each length',
    script: `
for number in 0 1 127 128 255 256 65535 65536 4294967295 4294967296 9007199254740993 18446744073709551615; do
  echo $number >s; fspl prepare-nop -s s >nop.$number
done`,
  },
  {
    name: 'prepare: without -i standard input is not read',
    script: 'echo "left alone" | (fspl prepare -s - >p; cat)',
  },
  {
    name: 'prepare: payload from standard input',
    script: `
echo hello | tell fspl prepare -s - -i - >a
echo hello | tell fspl prepare -s - --input=- >b
echo hello | tell fspl prepare -s - -i- >c
tell fspl prepare -s - -i - </dev/null >d`,
  },
  {
    name: 'prepare: payload from a file',
    script: `
printf 'no newline' >'in file'; : >empty
tell fspl prepare -s - -i 'in file' >a
tell fspl prepare -s - --input ./empty >b
tell fspl prepare -s - -i /dev/null >c`,
  },
  {
    name: 'prepare: payload of arbitrary bytes',
    script: String.raw`printf '\000\001\377\n\r\000*FILESPOOLER' | fspl prepare -s - -i - >p; fspl stdin-payload <p`,
  },
  {
    name: 'prepare: a payload of some megabytes',
    script: `
seq 1 400000 >in
fspl prepare -s - -i in >a; fspl prepare -s - -i - <in >b; cat in | fspl prepare -s - -i - >c
for p in a b c; do fspl stdin-payload <$p | cmp - in && echo same; rm $p; done; rm in`,
  },
  {
    name: 'prepare: payload file missing',
    difference: 'A number that is used up without a packet stops the queue: ours looks at the file first.',
    script:
      'tell fspl prepare -s s -i missing >p; cat s 2>&1; tell fspl prepare -s - -i "" >p2; wc -c <p; wc -c <p2',
    real: { stdout: 'exit 1, complained\n2\nexit 1, complained\n0\n0\n', tree: { s: 'file 0644 2\n' } },
    ours: { tree: { s: null, p: 'file 0644 ', p2: 'file 0644 ' } },
  },
  {
    name: 'prepare: payload is a directory',
    difference: 'A number that is used up without a packet stops the queue: ours looks at the file first.',
    script:
      'mkdir d; tell fspl prepare -s s -i d >p; head -c 12 p; rm p; echo; cat s 2>/dev/null || echo none',
    real: { stdout: 'exit 1, complained\n*FILESPOOLER\n2\n' },
    ours: { stdout: 'exit 1, complained\n\nnone\n' },
  },
  {
    name: 'prepare: standard input is closed',
    script: 'tell fspl prepare -s - -i - <&- >p',
  },
  {
    name: 'prepare: standard output is closed',
    script:
      'run fspl prepare -s s -i - >&- 2>/dev/null </dev/null; cat s; fspl prepare -s s >&-; echo "exit $?"; cat s',
  },
  {
    name: 'prepare: standard output is full, with a payload',
    script: `
[ -w /dev/full ] || exit 0
echo x | fspl prepare -s s -i - >/dev/full 2>err; echo "exit $?"; cat s; [ -s err ] && echo complained
rm err`,
  },
  {
    name: 'prepare: nobody reads standard output',
    script: `
head -c 300000 /dev/zero >in
(fspl prepare -s s -i in; echo "exit $?" >status) | head -c 1 >/dev/null
until_true test -s status; cat status s; rm in`,
  },
  {
    name: 'prepare: parameters',
    script: `
fspl prepare -s - -- one --two -3 'a b' '' 'é' 'line
line' '*' '$HOME' -- -s >p
fspl stdin-info <p`,
  },
  {
    name: 'prepare: parameters and a payload, options in any order',
    script: 'echo hi | fspl prepare -i - -s - -- a >p; fspl stdin-info <p; fspl stdin-payload <p',
  },
  {
    name: 'prepare: many and long parameters',
    script: `
fspl prepare -s - -- $(seq 1 300) >many; fspl stdin-info <many | tail -1
fspl prepare -s - -- "$(seq 1 2000)" >long; fspl stdin-info <long | sed 1,5d | cksum`,
  },
  {
    name: 'prepare: variables FSPL_SET_ go along in their order, with any value',
    needs: ['no wrapper'],
    script: `
env -i FSPL_SET_Z=last FSPL_SET_A=a=b=c FSPL_SET_EMPTY= 'FSPL_SET_LINES=x
y' FSPL_SET_Q="a'b\\"c" FSPL_SET_U=ü "$(command -v fspl)" prepare -s - >p
fspl stdin-info <p`,
  },
  {
    name: 'prepare: only names that begin with FSPL_SET_',
    script: `
env FSPL_SETX=1 XFSPL_SET_A=2 FSPL_PARAM_1=3 fspl_set_b=4 FSPL_SEQ=9 FSPL_SET_FSPL_SET_C=5 \\
  fspl prepare -s - >p
fspl stdin-info <p`,
  },
  {
    name: 'prepare: the name FSPL_SET_ itself',
    script:
      'FSPL_SET_=nothing fspl prepare -s - >p; fspl stdin-info <p; fspl stdin-process env <p | grep FSPL_SET',
  },
  {
    name: 'prepare: values that are not UTF-8',
    script: String.raw`
env "FSPL_SET_N=$(printf 'a\377\376b')" fspl prepare -s - >p; run fspl stdin-info <p
env "OTHER=$(printf '\377')" fspl prepare -s - >p2`,
  },
  {
    name: 'prepare: names of variables that are not UTF-8',
    needs: ['no wrapper'],
    script: String.raw`
env "FSPL_SET_N$(printf '\377')=v" "O$(printf '\376')=w" fspl prepare -s - >p
run fspl stdin-info <p`,
  },
  {
    name: 'prepare: nop and fail carry no variables',
    script: `
export FSPL_SET_A=1; fspl prepare-nop -s - >a; fspl prepare-fail -s - >b
fspl stdin-info <a; fspl stdin-info <b`,
  },
  {
    name: 'prepare: one seqfile for all kinds',
    script: `
fspl prepare -s s >a; fspl prepare-nop -s s >b; fspl prepare-fail -s s >c; fspl prepare -s s -- x >d
for p in a b c d; do fspl stdin-info <$p | head -1; done`,
  },
];
