// Forms of options and their values, and bad usage.
import type { Scenario } from '../scenario.ts';
import { eachLine } from './each-line.ts';

const withQueue = (lines: string) => `fspl queue-init -q q${eachLine(lines)}`;

export const usageOptions: readonly Scenario[] = [
  {
    name: 'usage: unknown subcommands, options and abbreviations',
    script: eachLine(`
bogus
queue
prep -s -
Prepare -s -
prepare --seq -
prepare --seqfil=-
prepare -s - --unknown
prepare -s - -z
queue-process -q q --never true
""
-- gen-uuid
-x gen-uuid
--bogus gen-uuid
`),
  },
  {
    name: 'usage: log level is given before the subcommand, in any case or as a number',
    script: eachLine(`
-l trace prepare-nop -s - 2>/dev/null
-l DEBUG prepare-nop -s - 2>/dev/null
-l 5 prepare-nop -s - 2>/dev/null
-l Info prepare-nop -s -
-lwarn prepare-nop -s -
-l=warn prepare-nop -s -
--log-level error prepare-nop -s -
--log-level=ERROR prepare-nop -s -
-l 1 prepare-nop -s -
-l 2 prepare-nop -s -
-l 3 prepare-nop -s -
`),
  },
  {
    name: 'usage: bad log levels',
    script: eachLine(`
-l
-l bogus gen-uuid
-l 0 gen-uuid
-l 6 gen-uuid
-l off gen-uuid
-l warning gen-uuid
-l "" gen-uuid
-l= gen-uuid
-l info -l warn gen-uuid
gen-uuid -l warn
gen-uuid --log-level warn
`),
  },
  {
    name: 'usage: forms of a value',
    script: withQueue(`
prepare-nop --seqfile -
prepare-nop --seqfile=-
prepare-nop -s -
prepare-nop -s-
prepare-nop -s=-
queue-process -qq true
queue-process -q=q true
queue-process --queuedir=q true
queue-process -n1 -qq true
queue-process -dcat -qq true
`),
  },
  {
    name: 'usage: a missing value, or one that looks like an option',
    script: eachLine(`
prepare -s
prepare --seqfile
prepare -s --
prepare -s -x
prepare -s --input
prepare -s - -i
queue-process -q q true -n
queue-process -q q true -n -1
queue-process -q q true --timeout
queue-process -q q true --timeout -1
queue-info -q q -j -1
prepare-set-next -s s -1
prepare-set-next -s s -- -1
`),
  },
  {
    name: 'usage: an option given twice',
    script: withQueue(`
prepare -s - -s -
prepare -s - --seqfile=-
prepare -s - -i - -i -
queue-process -q q -q q true
queue-process -q q -n1 -n2 true
queue-process -q q -d cat -d cat true
queue-process -q q --on-error retry --on-error delete true
queue-process -q q --order-by sequence --order-by timestamp true
queue-process -q q --output-to passboth --output-to passboth true
queue-process -q q --timeout 1 --timeout 1 true
queue-process -q q --never-delete --never-delete true
queue-process -q q --allow-job-params --allow-job-params true
queue-process -q q --ignore-payload --ignore-payload true
queue-init -q z --append-only --append-only
queue-info -q q -j 1 -j 1
`),
  },
  {
    name: 'usage: a flag takes no value',
    script: eachLine(`
queue-init -q z --append-only=yes
queue-process -q q --never-delete=true true
queue-process -q q --allow-job-params=true true
queue-process -q q --ignore-payload= true
`),
  },
  {
    name: 'usage: required arguments',
    script: withQueue(`
prepare
prepare-nop
prepare-fail
prepare-get-next
prepare-set-next 5
prepare-set-next -s s
queue-init
queue-ls
queue-write
queue-get-next
queue-set-next 4
queue-set-next -q q
queue-info -q q
queue-info -j 1
queue-payload -q q
queue-process -q q
queue-process true
stdin-process
`),
  },
  {
    name: 'usage: arguments too many',
    script: withQueue(`
gen-uuid x
gen-uuid -- x
gen-filename x
show-license x
prepare -s - x
prepare-nop -s - x
prepare-nop -s - -- x
prepare-set-next -s s 1 2
queue-init -q z x
queue-ls -q q x
queue-process -q q true false
queue-set-next -q q 1 2
stdin-info x
stdin-payload x
stdin-process true false
`),
  },
  {
    name: 'usage: options of another subcommand',
    script: withQueue(`
prepare-nop -s - -i -
stdin-info -q q
stdin-process -d cat true
stdin-process -q q true
stdin-process --on-error delete true
stdin-process -n 1 true
queue-write -q q -d cat
queue-init -q z -d cat
queue-get-next -q q -d cat
queue-ls -q q -j 1
queue-set-next -q q --append-only 5
`),
  },
  {
    name: 'usage: numbers',
    script: withQueue(`
queue-process -q q true -n x
queue-process -q q true -n ''
queue-process -q q true -n 1.5
queue-process -q q true -n ' 1'
queue-process -q q true -n 0x1
queue-process -q q true -n 18446744073709551616
queue-process -q q true -n 18446744073709551615
queue-process -q q true -n +3
queue-process -q q true -n 003
queue-process -q q true --timeout x
queue-process -q q true --timeout 1.5
queue-process -q q true --timeout 1s
queue-process -q q true --timeout 18446744073709551616
queue-process -q q true --timeout 18446744073709551615
queue-info -q q -j x
queue-info -q q -j ''
queue-payload -q q -j 1e3
queue-set-next -q q x
queue-set-next -q q 18446744073709551616
stdin-process --timeout x true
`),
  },
  {
    name: 'usage: named values are whole words in any case',
    script: withQueue(`
queue-process -q q true --on-error Retry
queue-process -q q true --on-error dELETE
queue-process -q q true --on-error=LEAVE
queue-process -q q true --on-error ret
queue-process -q q true --on-error ''
queue-process -q q true --order-by Sequence
queue-process -q q true --order-by tIMESTAMP
queue-process -q q true --order-by time
queue-process -q q true --output-to PassBoth
queue-process -q q true --output-to saveboth
queue-process -q q true --output-to SAVEBOTH
queue-process -q q true --output-to save
`),
  },
  {
    name: 'usage: two dashes, and options after the command',
    script: withQueue(`
gen-uuid --
queue-process -q q true -- a b --c -q
queue-process true -q q -- a
queue-process -q q -- true
queue-process -- true -q q
queue-process -q q --
queue-process -q q true --
queue-process -q q true --never-delete -n 1
stdin-process -- true
prepare -- x -s -
prepare -s - --
prepare -s - -- --
prepare-set-next -s s -- 9
prepare-set-next 11 -s s
queue-set-next 4 -q q
queue-set-next 5 -- -q q
`),
  },
  {
    name: 'usage: arguments are looked at before anything is touched',
    script: `
run fspl prepare -s s --bogus 2>/dev/null
run fspl queue-init -q q --bogus 2>/dev/null
run fspl queue-set-next -q q x 2>/dev/null
run fspl prepare-set-next -s s x 2>/dev/null`,
  },
  {
    name: 'usage: an argument that is not UTF-8',
    difference: 'Names and arguments are bytes: ours takes them all, the real one only some.',
    real: { stdout: 'exit 2, complained\n'.repeat(7) },
    ours: {
      stdout:
        'exit 0, silent\nexit 0, silent\nexit 0, silent\nexit 0, silent\nexit 0, silent\nexit 1, complained\nexit 0, silent\n',
    },
    script: String.raw`
bad=$(printf 'x\377')
fspl queue-init -q q
tell fspl queue-init -q "$bad"
tell fspl queue-ls -q "$bad" >/dev/null
tell fspl queue-process -q q "$bad"
tell fspl queue-process -q q -d "$bad" true
tell fspl queue-process -q q true -- "$bad"
tell fspl stdin-process "$bad" </dev/null
tell fspl prepare -s - -- "$bad" >/dev/null`,
  },
  {
    name: 'usage: the file names of prepare may be any bytes',
    script: String.raw`
bad=$(printf 'x\377')
echo payload >"in$bad"
tell fspl prepare -s "$bad" -i "in$bad" >packet`,
  },
];
