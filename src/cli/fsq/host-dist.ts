import type { Place } from '../../fsq/place.ts';
import { hosts } from '../../fsq/queues.ts';
import { reenqueue } from '../../fsq/reenqueue.ts';
import { scan } from '../../fsq/scan.ts';
import { pullTrigger } from '../../fsq/trigger.ts';
import { QueueError } from '../../queue/errors.ts';
import { type FsqArguments, type FsqContext, hostPlace, note, queuePlace } from './context.ts';
import { refusedNote, type Scanning, scanningConstants } from './scanning.ts';

type Options = Scanning & { readonly link: boolean; readonly trigger: boolean };

export async function distribute(context: FsqContext, args: FsqArguments<Options>): Promise<number> {
  const { machine, constants } = context;
  const { options, operand: queue } = args;
  const source = await queuePlace(context, queue);
  const names = args.more.length > 0 ? args.more : await hosts(machine, source.directory, constants);
  if (names.length === 0) {
    throw new QueueError('not-possible', `${source.directory}: it has no hosts; \`fsq add-host\` adds one`);
  }
  const targets: Place[] = [];
  for (const name of names) targets.push(await hostPlace(context, queue, name));
  const own = scanningConstants(constants, options);
  const how = options.link ? 'link' : 'copy';
  let total = 0;
  for await (const work of scan(machine, source, own, {
    ignoreDown: options['ignore-down'],
    onRefused: refusedNote(context),
  })) {
    const from = { name: work.item.name, path: work.claim.job.path };
    total += await reenqueue(machine, from, targets, own, how);
    if (!options['no-done']) await work.done();
    await note(context, options.verbose, `${queue}: ${work.item.name} to ${names.join(', ')}`);
  }
  if ((options.trigger || constants.useTrigger) && total > 0) {
    await pullTrigger(machine, targets[0]?.trigger ?? '');
  }
  return constants.success;
}
