// Help, version and generated names.
import type { Scenario } from '../scenario.ts';
import { eachLine } from './each-line.ts';

const SUBCOMMANDS = [
  ...['gen-filename', 'gen-uuid', 'prepare', 'prepare-fail', 'prepare-get-next', 'prepare-nop'],
  ...['prepare-set-next', 'queue-get-next', 'queue-info', 'queue-init', 'queue-ls', 'queue-payload'],
  ...['queue-process', 'queue-set-next', 'queue-write', 'show-license', 'stdin-info', 'stdin-payload'],
  'stdin-process',
].join(' ');

/** The help of SUBCOMMAND must mention each option. */
const mentions = (subcommand: string, options: string) => `
for how in '${subcommand} --help' '${subcommand} -h' 'help ${subcommand}'; do
  fspl $how >text 2>err; echo "exit $?"
  [ -s err ] && echo complained
  for option in ${options}; do grep -q -e "$option" text || echo "$how does not mention $option"; done
done
rm -f text err
`;

export const usageHelp: readonly Scenario[] = [
  {
    name: 'usage: version',
    script: 'run fspl -V; run fspl --version; run fspl -V prepare; run fspl -Vh; run fspl -l warn -V',
  },
  {
    name: 'usage: version is not known after a subcommand',
    script: eachLine(`
prepare -V
prepare --version
gen-uuid -V
--version=x
`),
  },
  {
    name: 'usage: help of the whole names each subcommand',
    script: `
for how in -h --help help -hV; do
  fspl $how >text 2>err; echo "exit $?"
  [ -s err ] && echo complained
  for word in ${SUBCOMMANDS} --log-level --version --help; do
    grep -q -e "$word" text || echo "$how does not mention $word"
  done
done
rm -f text err`,
  },
  {
    name: 'usage: no subcommand is bad usage, with help on stderr',
    script: `
for how in '' '-l warn'; do
  fspl $how >text 2>err; echo "exit $?"
  [ -s text ] && echo 'something on stdout'
  grep -q -e queue-process err && echo 'help on stderr'
done
rm -f text err`,
  },
  {
    name: 'usage: help has its own subcommand',
    script: eachLine(`
help help
help bogus
help -h
help --help
help prepare queue-ls
--help=x
`),
  },
  {
    name: 'usage: help of each subcommand ends well',
    script: `
for name in ${SUBCOMMANDS}; do
  for how in "$name --help" "$name -h" "help $name"; do
    fspl $how >text 2>err </dev/null; echo "$how: $? $([ -s text ] && echo text) $([ -s err ] && echo complained)"
  done
done
rm -f text err`,
  },
  {
    name: 'usage: help of queue-process names its options',
    script: mentions(
      'queue-process',
      '--queuedir --decoder --maxjobs --never-delete --order-by --on-error --output-to --timeout ' +
        '--ignore-payload --allow-job-params -q -d -n',
    ),
  },
  {
    name: 'usage: help of prepare and stdin-process names their options',
    script:
      mentions('prepare', '--seqfile --input -s -i') +
      mentions('stdin-process', '--timeout --ignore-payload --allow-job-params'),
  },
  {
    name: 'usage: help of the other queue commands names their options',
    script:
      mentions('queue-info', '--queuedir --job --decoder -q -j -d') +
      mentions('queue-payload', '--queuedir --job --decoder') +
      mentions('queue-ls', '--queuedir --decoder') +
      mentions('queue-init', '--queuedir --append-only'),
  },
  {
    name: 'usage: help against other arguments',
    script: eachLine(`
prepare -h -s
prepare -s -h
prepare -s - -h
prepare -s - -- -h
prepare --bogus -h
prepare -h --bogus
queue-process --help true
queue-process -n x -h
queue-init -h -q q
`),
  },
  {
    name: 'usage: generated names',
    script: `
run fspl gen-uuid
run fspl gen-filename
a=$(fspl gen-uuid); b=$(fspl gen-uuid); [ "$a" != "$b" ] && echo 'not the same twice'`,
  },
  {
    name: 'usage: the licence is shown',
    script: `fspl show-license >text; echo "exit $?"; [ -s text ] && echo text; rm -f text`,
  },
];
