/**
 * The command of the jobs in a storm over lanes: a bash script, run as `job.sh DIRECTORY` with the payload on its
 * standard input.
 *
 * It appends `start LANE SEQ ID` and `end LANE SEQ ID` to DIRECTORY/history (LANE is `-` for a job without one), and
 * `overlap ...` when a process is still alive that ran the same job before, or the job before it in the lane. A payload
 * that is not whole is `torn ...`. Now and then a job does not end when it is asked to, so that its watchdog has to wait.
 */
export const LANE_COMMAND = `#!/bin/bash
directory=$1
lane=\${INTRAY_LANE:--}
read -r id
note() { echo "$1 $lane $FSPL_SEQ $id" >> "$directory/history"; }
# Both locks last as long as this process, on whatever machine it is: nobody else gets to have them open.
exec 8>> "$directory/running/$id"
flock -n 8 || note overlap
if [ "$lane" != - ]; then exec 9>> "$directory/running/lane-$lane"; flock -n 9 || note overlap; fi
note start
last=$id
while read -r line; do last=$line; done
[ "$last" = "last $id" ] || note torn
rest=0.0$((FSPL_SEQ % 5))
case $id in *7) trap '' TERM; rest=0.5;; esac
sleep "$rest" 8>&- 9>&-
note end
`;

export type LaneLine = {
  readonly kind: string;
  readonly lane: string;
  readonly seq: number;
  readonly id: string;
};

export function readLaneHistory(text: string): LaneLine[] {
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [kind = '', lane = '', seq, id = ''] = line.split(' ');
      return { kind, lane, seq: Number(seq), id };
    });
}

/** What is wrong with a history, when these jobs were accepted: empty when each ran, in its lane's order, alone. */
export function problemsOf(history: readonly LaneLine[], accepted: ReadonlySet<string>): string[] {
  const problems: string[] = [];
  const ended = new Set<string>();
  /** By lane: the number that was started last, and whether it has ended. */
  const lanes = new Map<string, { seq: number; ended: boolean }>();
  for (const { kind, lane, seq, id } of history) {
    if (kind === 'overlap' || kind === 'torn') problems.push(`${kind}: ${id} (${lane} ${seq})`);
    if (kind === 'end') {
      ended.add(id);
      const at = lanes.get(lane);
      if (at?.seq === seq) at.ended = true;
    }
    if (kind !== 'start' || lane === '-') continue;
    const before = lanes.get(lane) ?? { seq: 0, ended: true };
    if (seq === before.seq) continue;
    if (seq !== before.seq + 1) problems.push(`lane ${lane}: ${seq} was started after ${before.seq}`);
    else if (!before.ended) problems.push(`lane ${lane}: ${seq} was started and ${before.seq} had not ended`);
    lanes.set(lane, { seq, ended: false });
  }
  for (const id of accepted) if (!ended.has(id)) problems.push(`accepted and never run to its end: ${id}`);
  return problems;
}
