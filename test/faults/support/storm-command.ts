/**
 * The command of the jobs in a storm: a bash script, run as `job.sh DIRECTORY` with the payload on its standard input.
 *
 * It appends `start SEQ PID ID` and `end SEQ PID ID` to DIRECTORY/history, and `overlap ...` when the process that
 * ran the job before it is still alive. A payload that is not whole is `torn ...`.
 */
export const STORM_COMMAND = `#!/bin/bash
# Field 22 tells a process from a later one with the same number; Z is one that is dead.
life() { local line; { read -r line < "/proc/$1/stat"; } 2>/dev/null || return 1
  set -- \${line##*) }; [ "$1" != Z ] && [ "$1" != X ] && born=\${20}; }
directory=$1
born=; life $$; mine=$born
if read -r other since < "$directory/current"; then
  born=; if life "$other" && [ "$born" = "$since" ]; then echo "overlap $FSPL_SEQ $$ $other" >> "$directory/history"; fi
fi
echo "$$ $mine" > "$directory/current"
read -r id
echo "start $FSPL_SEQ $$ $id" >> "$directory/history"
last=$id
while read -r line; do last=$line; done
[ "$last" = "last $id" ] || echo "torn $FSPL_SEQ $$ $id" >> "$directory/history"
sleep "0.0$((FSPL_SEQ % 4))"
echo "end $FSPL_SEQ $$ $id" >> "$directory/history"
`;

export type Line = {
  readonly kind: string;
  readonly seq: number;
  readonly pid: number;
  readonly id: string;
};

export function readHistory(text: string): Line[] {
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [kind = '', seq, pid, id = ''] = line.split(' ');
      return { kind, seq: Number(seq), pid: Number(pid), id };
    });
}
