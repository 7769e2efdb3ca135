// Making, filling and listing a queue, and its number.
import { packet } from '../packet.ts';
import type { Scenario } from '../scenario.ts';

const at = (seq: bigint | number, seconds: number) => packet({ seq, seconds });

export const queue: readonly Scenario[] = [
  {
    name: 'queue-init: a new queue',
    script: 'tell fspl queue-init -q q; tell fspl queue-init --queuedir p/',
  },
  {
    name: 'queue-init: append-only',
    script: 'tell fspl queue-init -q q --append-only; tell fspl queue-init --append-only -q p',
  },
  {
    name: 'queue-init: what is there already is left alone',
    script: `
fspl queue-init -q q; echo 5 >q/nextseq; tell fspl queue-init -q q
tell fspl queue-init -q q --append-only
mkdir empty; tell fspl queue-init -q empty
touch file; tell fspl queue-init -q file; tell fspl queue-init -q file/q
ln -s nowhere dangling; tell fspl queue-init -q dangling
tell fspl queue-init -q .; tell fspl queue-init -q ''`,
  },
  { name: 'queue-init: parents are not made', script: 'tell fspl queue-init -q a/b/c' },
  {
    name: 'queue-init: modes follow the umask',
    script: `
(umask 077; fspl queue-init -q a); (umask 027; fspl queue-init -q b); (umask 000; fspl queue-init -q c)
(umask 077; fspl queue-init -q d --append-only)`,
  },
  {
    name: 'queue-get-next and queue-set-next',
    script: `
fspl queue-init -q q
tell fspl queue-get-next -q q
for n in 5 +6 007 0 18446744073709551615; do tell fspl queue-set-next -q q $n; fspl queue-get-next -q q; done
tell fspl queue-get-next -q ./q/; tell fspl queue-set-next --queuedir=q 3`,
  },
  {
    name: 'queue-get-next and queue-set-next without a queue',
    script: `
mkdir q; touch f
for q in q f no; do tell fspl queue-get-next -q $q; tell fspl queue-set-next -q $q 4; done`,
  },
  {
    name: 'queue-get-next and queue-set-next of an append-only queue',
    script:
      'fspl queue-init --append-only -q q; tell fspl queue-get-next -q q; tell fspl queue-set-next -q q 4',
  },
  {
    name: 'queue: nextseq is missing but its lock is there',
    script: `
fspl queue-init -q q
rm q/nextseq; tell fspl queue-get-next -q q; cat q/nextseq
rm q/nextseq; tell fspl queue-set-next -q q 6; cat q/nextseq
rm q/nextseq; tell fspl queue-process -q q true; cat q/nextseq
rm q/nextseq; tell fspl queue-process -q q --order-by timestamp true; cat q/nextseq`,
  },
  {
    name: 'queue: nextseq.lock is missing',
    script: `
fspl queue-init -q q; rm q/nextseq.lock; job 1 -s -
tell fspl queue-get-next -q q
tell fspl queue-set-next -q q 3
tell fspl queue-process -q q true
tell fspl queue-process -q q --order-by timestamp true
tell fspl queue-payload -q q -j 1
echo x | tell fspl queue-write -q q
fspl queue-ls -q q | wc -l`,
  },
  {
    name: 'queue: nextseq is damaged',
    script: `
fspl queue-init -q q; job 1 -s -
for content in '' junk -1 18446744073709551616; do
  echo "$content" >q/nextseq
  tell fspl queue-get-next -q q; tell fspl queue-set-next -q q 2
  tell fspl queue-process -q q echo; tell fspl queue-process -q q --order-by timestamp echo
  tell fspl queue-payload -q q -j 1
done`,
  },
  {
    name: 'queue: nextseq with blanks or without a newline',
    script: `
fspl queue-init -q q
printf ' 7 ' >q/nextseq; tell fspl queue-get-next -q q; tell fspl queue-process -q q true; od -c q/nextseq
printf 1 >q/nextseq; job 1 -s -; tell fspl queue-process -q q echo -- ran; od -c q/nextseq`,
  },
  {
    name: 'queue-write: any bytes become a job file',
    warns: 'that they are no packets',
    script: `
fspl queue-init -q q
echo 'anything at all' | tell fspl queue-write -q q
fspl prepare -s - -- a | tell fspl queue-write --queuedir=q/
head -c 1000000 /dev/zero | tell fspl queue-write -q ./q
ls q/jobs | wc -l; ls q/jobs | grep -v '^fspl-.*\\.fspl$'
tell fspl queue-ls -q q`,
  },
  {
    name: 'queue-write: to an append-only queue, and to a bare jobs directory',
    script: `
fspl queue-init --append-only -q q; echo a | tell fspl queue-write -q q
mkdir -p bare/jobs; echo b | tell fspl queue-write -q bare`,
  },
  {
    name: 'queue-write: no queue',
    script: `
mkdir q; touch f
for q in q f no ''; do echo x | tell fspl queue-write -q "$q"; done
mkdir r; touch r/jobs; echo x | tell fspl queue-write -q r`,
  },
  {
    name: 'queue-write: mode follows the umask',
    script: `
fspl queue-init -q q
(umask 077; echo a | fspl queue-write -q q); (umask 000; echo b | fspl queue-write -q q)`,
  },
  {
    name: 'queue-write: a closed jobs directory',
    needs: ['ordinary user'],
    script: `
fspl queue-init -q q; chmod 555 q/jobs; echo a | tell as_user fspl queue-write -q q; chmod 755 q/jobs`,
  },
  {
    name: 'queue-ls: nothing there',
    script: `
fspl queue-init -q q; tell fspl queue-ls -q q
fspl queue-init -q a --append-only; tell fspl queue-ls -q a
mkdir -p bare/jobs; tell fspl queue-ls -q bare`,
  },
  {
    name: 'queue-ls: no queue, no header line',
    script: `
mkdir q; touch f
for q in q f no ''; do tell fspl queue-ls -q "$q"; done`,
  },
  {
    name: 'queue-ls: sorted by number, with the time in the local zone',
    files: {
      'jobs/fspl-c.fspl': at(10, 1_700_000_000),
      'jobs/fspl-a.fspl': at(9, 1_600_000_000),
      'jobs/fspl-b.fspl': at(18446744073709551615n, 0),
      'jobs/fspl-d.fspl': at(0, 86_399),
      'jobs/fspl-e.fspl': at(123456789012345678n, 951_782_400),
    },
    script:
      'tell fspl queue-ls -q .; tell env TZ=UTC fspl queue-ls -q .; tell env TZ=America/New_York fspl queue-ls -q .',
  },
  {
    name: 'queue-ls: two files with one number are both listed',
    files: { 'jobs/fspl-a.fspl': at(2, 5), 'jobs/fspl-b.fspl': at(2, 6), 'jobs/fspl-c.fspl': at(1, 7) },
    script: 'fspl queue-ls -q . >list; echo "exit $?"; sort list; rm list',
  },
  {
    name: 'queue: locks that others hold',
    script: `
fspl queue-init -q q; job 1 -s -
for how in --exclusive --shared; do
  tell flock $how q/nextseq.lock fspl queue-get-next -q q
  tell flock $how q/nextseq.lock fspl queue-set-next -q q 7
  tell flock $how q/nextseq.lock fspl queue-process -q q echo
  tell flock $how q/nextseq.lock fspl queue-process -q q --order-by timestamp echo
  flock $how q/nextseq.lock fspl queue-ls -q q | wc -l
  tell flock $how q/nextseq.lock fspl queue-info -q q -j 1
  tell flock $how q/nextseq.lock fspl queue-payload -q q -j 1
  echo x | tell flock $how q/nextseq.lock fspl queue-write -q q
done
tell fspl queue-init -q q
nextseq`,
  },
  {
    name: 'queue: other directories in it do not matter',
    script: `
fspl queue-init -q q; mkdir q/incoming q/jobs/sub; job 1 -s -; cp q/jobs/* q/jobs/sub 2>/dev/null
tell fspl queue-process -q q echo -- once`,
  },
];
