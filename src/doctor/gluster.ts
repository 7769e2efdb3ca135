/**
 * How a GlusterFS volume is set, as the program that serves its mount has it: files in `.meta` at the top of each mount say
 * so. `graphs/active/volfile` is a list of layers,
 *
 *     volume jobs-replicate-0
 *         type cluster/replicate
 *         option quorum-type fixed
 *         subvolumes jobs-client-0 jobs-client-1 jobs-client-2
 *     end-volume
 *
 * and `cmdline` the words by which it was mounted. What they must be for several hosts: docs/machines.md.
 */

export type Layer = {
  readonly type: string;
  readonly options: ReadonlyMap<string, string>;
  readonly subvolumes: readonly string[];
};

/** Layers that remember what other hosts change, and what sets them. */
const MEMORIES: ReadonlyMap<string, string> = new Map([
  ['performance/md-cache', 'performance.stat-prefetch'],
  ['performance/readdir-ahead', 'performance.readdir-ahead'],
  ['performance/read-ahead', 'performance.read-ahead'],
  ['performance/io-cache', 'performance.io-cache'],
  ['performance/quick-read', 'performance.quick-read'],
  ['performance/open-behind', 'performance.open-behind'],
  ['performance/write-behind', 'performance.write-behind'],
]);

/** Words of the mount's program, which are those of mount(8) without the dashes. */
const TIMEOUTS = ['attribute-timeout', 'entry-timeout', 'negative-timeout'];

/** With fewer whole copies none can be told from a stale one when the others are away. */
const LEAST_COPIES = 3;

/** Pure. */
export function parseLayers(volfile: string): Layer[] {
  return volfile.split(/^end-volume$/m).flatMap((text) => {
    const lines = text.split('\n').map((line) => line.trim().split(' '));
    const after = (word: string) => lines.find(([first]) => first === word)?.slice(1) ?? [];
    const [type] = after('type');
    if (type === undefined) return [];
    const options = lines.flatMap(([first, name = '', ...value]) =>
      first === 'option' ? [[name, value.join(' ')] as const] : [],
    );
    return [{ type, options: new Map(options), subvolumes: after('subvolumes') }];
  });
}

/** What several hosts could not bear, each a phrase; none when all is as it should be. Pure. */
export function problemsOfVolume(volfile: string, cmdline: string): string[] {
  const layers = parseLayers(volfile);
  const ofType = (type: string) => layers.filter((layer) => layer.type === type);
  const problems: string[] = [];
  const on = layers.flatMap(({ type }) => MEMORIES.get(type) ?? []);
  if (on.length > 0) problems.push(`not off: ${on.join(', ')}`);
  if (ofType('features/utime').length > 0) problems.push('not off: ctime');
  const lacking = TIMEOUTS.filter((name) => !new RegExp(`--${name}=0\\b`).test(cmdline));
  if (lacking.length > 0) problems.push(`not mounted with ${lacking.map((name) => `${name}=0`).join(',')}`);
  const sets = ofType('cluster/replicate');
  if (sets.some(({ subvolumes }) => subvolumes.length < LEAST_COPIES)) {
    problems.push(`fewer than ${LEAST_COPIES} replicas`);
  }
  if (sets.some(({ options }) => options.get('quorum-type') === 'none'))
    problems.push('no quorum of replicas');
  if (sets.length === 0) problems.push('no replicas');
  if (ofType('cluster/distribute').some(({ subvolumes }) => subvolumes.length > 1)) {
    problems.push('spread over several sets of replicas, which nobody has tested');
  }
  return problems;
}
