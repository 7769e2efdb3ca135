// --decoder: each job file goes through a command of $SHELL first.
import type { Scenario } from '../scenario.ts';

/** Two plain jobs with payloads, and a large third one on request. */
const PLAIN = `
fspl queue-init -q q
for n in 1 2; do echo "payload $n" | fspl prepare -s s -i - -- p$n >q/jobs/fspl-$n.fspl; done
`;
const ZIPPED = `
fspl queue-init -q q
for n in 1 2; do echo "payload $n" | fspl prepare -s s -i - -- p$n | gzip >q/jobs/fspl-$n.fspl; done
`;
const LARGE = `
fspl queue-init -q q; seq 1 300000 >in
for n in 1 2; do fspl prepare -s s -i in >q/jobs/fspl-$n.fspl; done; rm in
`;

const withDecoder = (decoder: string) => `
tell fspl queue-ls -q q -d '${decoder}'
tell fspl queue-info -q q -j 2 -d '${decoder}'
tell fspl queue-payload -q q -j 2 -d '${decoder}'
tell fspl queue-process -q q -d '${decoder}' cat
left; nextseq
`;

export const decoder: readonly Scenario[] = [
  { name: 'decoder: cat', script: `${PLAIN}${withDecoder('cat')}` },
  { name: 'decoder: zcat', script: `${ZIPPED}${withDecoder('zcat')}` },
  {
    name: 'decoder: long and short form, and a pipeline',
    script: `${ZIPPED}
for f in q/jobs/*; do rot=$(basename $f); tr 'A-Za-z' 'N-ZA-Mn-za-m' <$f >tmp; mv tmp q/jobs/$rot; done
tell fspl queue-ls -q q --decoder 'tr A-Za-z N-ZA-Mn-za-m | zcat'
tell fspl queue-payload -q q -j 1 --decoder='tr A-Za-z N-ZA-Mn-za-m | zcat'
tell fspl queue-process -q q -d'tr A-Za-z N-ZA-Mn-za-m | zcat' cat; left`,
  },
  {
    name: 'decoder: forgotten, the queue looks empty',
    warns: 'that the files are no packets',
    script: `${ZIPPED}
tell fspl queue-ls -q q; tell fspl queue-process -q q cat; tell fspl queue-info -q q -j 1; left; nextseq`,
  },
  {
    name: 'decoder: files that it cannot decode are stepped over',
    script: `${ZIPPED}
fspl prepare -s s >q/jobs/fspl-3.fspl; echo junk >q/jobs/fspl-4.fspl
fspl queue-ls -q q -d 'zcat 2>/dev/null'
fspl queue-process -q q -d 'zcat 2>/dev/null' cat; left; nextseq`,
  },
  {
    name: 'decoder: fails without a word',
    warns: 'that the decoder failed',
    script: `${PLAIN}${withDecoder('false')}`,
  },
  { name: 'decoder: does not exist', script: `${PLAIN}${withDecoder('/no/such/decoder')}` },
  {
    name: 'decoder: is empty',
    warns: 'that nothing came out of the decoder',
    script: `${PLAIN}${withDecoder('')}`,
  },
  {
    name: 'decoder: fails after good output',
    difference: 'A decoder that fails has found something wrong, perhaps too late: the job has failed.',
    script: `${PLAIN}
tell fspl queue-payload -q q -j 2 -d 'cat; exit 3'; tell fspl queue-process -q q -d 'cat; exit 3' cat; left; nextseq`,
    real: {
      stdout: 'payload 2\nexit 0, silent\npayload 1\npayload 2\nexit 0, complained\nleft:\nnextseq 3\n',
    },
    ours: {
      stdout:
        'payload 2\nexit 1, complained\npayload 1\nexit 1, complained\nleft: fspl-1.fspl fspl-2.fspl\nnextseq 1\n',
    },
  },
  {
    name: 'decoder: fails after good output, and so does the command',
    script: `${PLAIN}
for value in retry leave delete; do
  tell fspl queue-process -q q -d 'cat; exit 3' --on-error $value false; left; nextseq
  fspl queue-set-next -q q 1
done`,
  },
  {
    name: 'decoder: gives half a header',
    warns: 'that the packet is cut off',
    script: `${PLAIN}${withDecoder('head -c 40')}`,
  },
  {
    name: 'decoder: gives the header only',
    script: `${PLAIN}${withDecoder('head -c -10')}`,
  },
  {
    name: 'decoder: gives something else when the job is run',
    script: `
for value in retry leave delete; do
  rm -rf q s ran
  ${PLAIN}
  tell fspl queue-process -q q -d '[ -e ran ] || cat' --on-error $value touch -- ran; left; nextseq
done`,
  },
  {
    name: 'decoder: runs in a shell, sees the file, and no variables of the job',
    script: `${PLAIN}
fspl queue-process -q q -n 1 -d 'env | grep FSPL_ >seen; [ -e /proc/self/fd/0 ] && readlink /proc/self/fd/0 >>seen; cat' cat
sed 's/fspl-[12]/fspl-N/' seen; rm seen`,
  },
  {
    name: 'decoder: SHELL is unset',
    script: `${PLAIN}unset SHELL; ${withDecoder('cat')}`,
  },
  {
    name: 'decoder: SHELL is bash',
    script: `
[ -x /bin/bash ] || exit 0
${PLAIN}export SHELL=/bin/bash; ${withDecoder('[[ -n $BASH_VERSION ]] && cat')}`,
  },
  { name: 'decoder: SHELL is a name on PATH', script: `${PLAIN}export SHELL=sh; ${withDecoder('cat')}` },
  {
    name: 'decoder: SHELL is empty',
    warns: 'that the shell cannot be started',
    script: `${PLAIN}export SHELL=; ${withDecoder('cat')}`,
  },
  {
    name: 'decoder: SHELL does not exist',
    warns: 'that the shell cannot be started',
    script: `${PLAIN}export SHELL=/no/such/shell; ${withDecoder('cat')}`,
  },
  {
    name: 'decoder: is given SHELL -c COMMAND',
    script: `${PLAIN}
printf '#!/bin/sh\\necho "$#:$1:$2" >>words; cat\\n' >myshell; chmod +x myshell; export SHELL="$PWD/myshell"
tell fspl queue-info -q q -j 1 -d 'my "decoder" $HOME'; sort -u words; rm words`,
  },
  {
    name: 'decoder: a large payload arrives whole',
    script: `${LARGE}
tell fspl queue-process -q q -n 1 -d cat cksum
fspl queue-payload -q q -j 2 -d cat >out; cksum out; rm out
rm q/jobs/*`,
  },
  {
    name: 'decoder: a large payload that the command does not read',
    script: `${LARGE}
tell fspl queue-process -q q -n 1 -d 'cat 2>/dev/null' true
tell fspl queue-process -q q -n 1 -d 'cat 2>/dev/null' sh -- -c 'exec <&-; exit 0'
left; nextseq`,
  },
  {
    name: 'decoder: a large payload and a command that fails or cannot be started',
    script: `${LARGE}
tell fspl queue-process -q q -d 'cat 2>/dev/null' false; left; nextseq
tell fspl queue-process -q q -d 'cat 2>/dev/null' /no/such/command; left; nextseq
rm q/jobs/*`,
  },
  {
    name: 'decoder: a large payload, header only wanted',
    script: `${LARGE}
fspl queue-ls -q q -d 'cat 2>/dev/null'
fspl queue-info -q q -j 2 -d 'cat 2>/dev/null'
rm q/jobs/*`,
  },
  {
    name: 'decoder: with --ignore-payload the command gets what fspl gets',
    script: `${PLAIN}echo outer | tell fspl queue-process -q q -d cat --ignore-payload cat; left; nextseq`,
  },
  {
    name: 'decoder: with SaveBoth and Timestamp',
    script: `${ZIPPED}
tell fspl queue-process -q q -d zcat --output-to saveboth --order-by timestamp cat; left; nextseq`,
  },
  {
    name: 'decoder: the command has the rest of its output on a pipe',
    script: `${PLAIN}
[ -e /proc/self/fd/0 ] || exit 0
fspl queue-process -q q -n 1 -d cat sh -- -c 'readlink /proc/self/fd/0 | tr -d 0-9; cat'`,
  },
];
