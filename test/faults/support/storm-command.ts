/**
 * The command of the jobs in a storm: a bash script, run as `job.sh DIRECTORY` with the payload on its standard input.
 *
 * It appends `start SEQ PID ID` and `end SEQ PID ID` to DIRECTORY/history, and `overlap ...` when the process that
 * ran the job before it is still alive. A payload that is not whole is `torn ...`.
 */
export const STORM_COMMAND = `#!/bin/bash
directory=$1
# The lock lasts as long as this process, on whatever machine it is: nobody else gets to have it open.
exec 9>> "$directory/current"
flock -n 9 || echo "overlap $FSPL_SEQ $$ -" >> "$directory/history"
read -r id
echo "start $FSPL_SEQ $$ $id" >> "$directory/history"
last=$id
while read -r line; do last=$line; done
[ "$last" = "last $id" ] || echo "torn $FSPL_SEQ $$ $id" >> "$directory/history"
sleep "0.0$((FSPL_SEQ % 4))" 9>&-
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
