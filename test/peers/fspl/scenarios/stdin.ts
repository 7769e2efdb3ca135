// stdin-process: one packet from standard input, no queue.
import { packet } from '../packet.ts';
import type { Scenario } from '../scenario.ts';

const files = {
  p: packet({ seq: 5, seconds: 5, payload: 'the payload\n', kind: { params: ['j1'], env: [['A', 'b']] } }),
  nop: packet({ seq: 6, seconds: 6, kind: 'NOP' }),
  fail: packet({ seq: 7, seconds: 7, kind: 'Fail' }),
};

export const stdin: readonly Scenario[] = [
  {
    name: 'stdin-process: the payload',
    files,
    script: 'tell fspl stdin-process cat <p; cat p | tell fspl stdin-process cat',
  },
  {
    name: 'stdin-process: exactly the header is taken',
    files,
    script: `
cat p | tell fspl stdin-process head -- -c 4
(fspl stdin-process true; cat) <p
cat p | (fspl stdin-process true; cat)`,
  },
  {
    name: 'stdin-process: --ignore-payload leaves the payload on standard input',
    files,
    script:
      'tell fspl stdin-process --ignore-payload cat <p; cat p | tell fspl stdin-process cat --ignore-payload',
  },
  {
    name: 'stdin-process: nop and fail',
    files,
    script: `
tell fspl stdin-process echo <nop; tell fspl stdin-process echo <fail
tell fspl stdin-process /no/such/command <nop; tell fspl stdin-process /no/such/command <fail`,
  },
  {
    name: 'stdin-process: parameters',
    files,
    script: `
tell fspl stdin-process echo -- own <p
tell fspl stdin-process echo --allow-job-params -- own <p
tell fspl stdin-process --allow-job-params echo <p`,
  },
  {
    name: 'stdin-process: not a packet',
    script: `
echo 'something else entirely, but longer than a prefix' >other
tell fspl stdin-process echo <other; tell fspl stdin-info <other; tell fspl stdin-payload <other`,
  },
  {
    name: 'stdin-process: is a filter in a pipeline',
    script: `
seq 1 100000 | fspl prepare -s - -i - | gzip | zcat | fspl stdin-process wc -- -l
seq 1 100000 | fspl prepare -s - -i - | fspl stdin-payload | tail -1
echo nested | fspl prepare -s - -i - | fspl prepare -s - -i - | fspl stdin-payload | fspl stdin-process cat`,
  },
  {
    name: 'stdin-process: a large payload that is not read',
    script: `
head -c 3000000 /dev/zero | fspl prepare -s - -i - >p
tell fspl stdin-process true <p; tell fspl stdin-process head -- -c 3 <p; rm p`,
  },
  {
    name: 'stdin-payload: nobody reads it',
    script: `
head -c 300000 /dev/zero | fspl prepare -s - -i - >p
(fspl stdin-payload <p 2>/dev/null; echo "exit $?" >status) | head -c 1 >/dev/null
until_true test -s status; cat status; rm p`,
  },
  {
    name: 'stdin-process: packets one after another, by hand',
    files,
    script: `
mkdir jobs; cp p jobs/1; cp nop jobs/2; cp fail jobs/3
for f in jobs/*; do if fspl stdin-process cat <$f 2>/dev/null; then rm $f; else echo "stopped at $f"; break; fi; done`,
  },
];
