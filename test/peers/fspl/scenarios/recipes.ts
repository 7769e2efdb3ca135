// Whole flows, as people use them.
import type { Scenario } from '../scenario.ts';

export const recipes: readonly Scenario[] = [
  {
    name: 'recipe: one incoming queue feeds two queues that work by time',
    script: `
for q in incoming proc1 proc2; do fspl queue-init -q $q; done
for n in 1 2 3 4 5; do echo "job $n" | fspl prepare -s s -i - | fspl queue-write -q incoming; done
cat >move.sh <<'END'
#!/bin/sh
set -eu
ln "$FSPL_JOB_FULLPATH" "$1/jobs/$FSPL_JOB_FILENAME"
cat >/dev/null
END
chmod +x move.sh
turn() {
  if ! fspl queue-ls -q $1 | grep -q fspl-; then fspl queue-process -q incoming $limit ./move.sh -- $1; fi
  fspl queue-process --order-by=Timestamp -q $1 sh -- -c 'echo "$0 does $(cat), number $FSPL_SEQ"' $1
}
limit='--maxjobs 1'
for round in 1 2; do turn proc1; turn proc2; done
limit=; turn proc2; turn proc1
cat incoming/nextseq proc1/nextseq proc2/nextseq`,
  },
  {
    name: 'recipe: writers that take several queues in turn',
    script: `
for q in q1 q2 q3; do fspl queue-init -q $q; done
n=0
while [ $n -lt 9 ]; do
  n=$((n + 1)); q=q$((n % 3 + 1))
  echo "job $n" | fspl prepare -s s.$q -i - | fspl queue-write -q $q
done
for q in q1 q2 q3; do fspl queue-ls -q $q | wc -l; fspl queue-process -q $q sh -- -c 'echo "$0 $FSPL_SEQ $(cat)"' $q; done`,
  },
  {
    name: 'recipe: incremental backups with tar, applied in order',
    warns: 'which job is missing',
    script: `
fspl queue-init -q q; mkdir data restored
echo one >data/a; tar -cpf - --listed-incremental=state data | fspl prepare -s s -i - >later.1
echo two >data/b; tar -cpf - --listed-incremental=state data | fspl prepare -s s -i - | fspl queue-write -q q
rm data/a; tar -cpf - --listed-incremental=state data | fspl prepare -s s -i - | fspl queue-write -q q
tell fspl queue-process -q q tar -- -C restored -xpf - --listed-incremental=/dev/null; ls restored
fspl queue-write -q q <later.1
tell fspl queue-process -q q tar -- -C restored -xpf - --listed-incremental=/dev/null; ls restored/data
nextseq; rm -r data state later.1 restored`,
  },
  {
    name: 'recipe: parameters choose what the command does',
    script: `
fspl queue-init -q q
echo 'hello world' | FSPL_SET_TARGET=greeting fspl prepare -s s -i - -- upper | fspl queue-write -q q
echo 'HELLO AGAIN' | FSPL_SET_TARGET=again fspl prepare -s s -i - -- lower | fspl queue-write -q q
cat >do.sh <<'END'
#!/bin/sh
case $1 in
  upper) tr a-z A-Z >"$FSPL_SET_TARGET";;
  lower) tr A-Z a-z >"$FSPL_SET_TARGET";;
esac
END
chmod +x do.sh; tell fspl queue-process -q q --allow-job-params ./do.sh; cat greeting again`,
  },
  {
    name: 'recipe: compressed on the way, compressed in the queue',
    script: `
fspl queue-init -q q
for n in 1 2 3; do seq 1 100$n | fspl prepare -s s -i - | gzip | fspl queue-write -q q; done
fspl queue-ls -q q -d zcat | wc -l
tell fspl queue-process -q q -d zcat wc -- -l; nextseq`,
  },
  {
    name: 'recipe: a barrier that waits for a person',
    script: `
fspl queue-init -q q
fspl prepare -s s | fspl queue-write -q q
fspl prepare-fail -s s | fspl queue-write -q q
fspl prepare -s s | fspl queue-write -q q
tell fspl queue-process -q q sh -- -c 'echo "ran $FSPL_SEQ"'; nextseq
tell fspl queue-process -q q sh -- -c 'echo "ran $FSPL_SEQ"'; nextseq
fspl queue-set-next -q q 3; tell fspl queue-process -q q sh -- -c 'echo "ran $FSPL_SEQ"'; nextseq`,
  },
  {
    name: 'recipe: one queue feeds another through stdin-process',
    script: `
fspl queue-init -q first; fspl queue-init -q second
for n in 1 2; do echo "inner $n" | fspl prepare -s inner -i - | fspl prepare -s outer -i - | fspl queue-write -q first; done
tell fspl queue-process -q first fspl -- queue-write -q second
tell fspl queue-process -q second cat; cat first/nextseq second/nextseq`,
  },
  {
    name: 'recipe: names from gen-filename, moved into jobs/',
    script: `
fspl queue-init -q q; mkdir q/incoming
name=$(fspl gen-filename); fspl prepare -s s -- a >q/incoming/$name; mv q/incoming/$name q/jobs/
name=$(fspl gen-filename); fspl prepare -s s -- b >q/incoming/$name; ln q/incoming/$name q/jobs/
tell fspl queue-process -q q --allow-job-params echo; nextseq`,
  },
  {
    name: 'recipe: an append-only queue whose jobs are carried over',
    script: `
fspl queue-init --append-only -q here; fspl queue-init -q there
for n in 1 2 3; do echo $n | fspl prepare -s s -i - | fspl queue-write -q here; done
mv here/jobs/* there/jobs/
tell fspl queue-process -q there cat; fspl queue-ls -q here`,
  },
];
