import { type ItemMoved, moveItem } from '../../fsq/items.ts';
import type { Place } from '../../fsq/place.ts';
import { noteRefusal } from '../../fsq/run-notes.ts';
import { pullTrigger } from '../../fsq/trigger.ts';
import { QueueError } from '../../queue/errors.ts';
import { type FsqArguments, type FsqContext, hostPlace, note, queuePlace } from './context.ts';

type Options = { readonly verbose: boolean; readonly host: string | undefined };
type Arguments = FsqArguments<Options>;

export function doneItems(context: FsqContext, args: Arguments): Promise<number> {
  return eachItem(context, args, (place, name) =>
    moveItem(context.machine, place, name, ['waiting', 'fail'], 'done'),
  );
}

export function failItems(context: FsqContext, args: Arguments): Promise<number> {
  const { machine } = context;
  return eachItem(context, args, async (place, name) => {
    const moved = await moveItem(machine, place, name, ['waiting'], 'fail');
    if (moved.kind === 'moved') await noteRefusal(machine, place, name, 0, 'it was failed by hand');
    return moved;
  });
}

export function retryItems(context: FsqContext, args: Arguments): Promise<number> {
  const { machine, constants } = context;
  return eachItem(context, args, async (place, name) => {
    const moved = await moveItem(machine, place, name, ['fail', 'done', 'waiting'], 'waiting', 0);
    if (constants.useTrigger && moved.kind === 'moved') await pullTrigger(machine, place.trigger);
    return moved;
  });
}

/** All that can be, before the first that cannot is told. */
async function eachItem(
  context: FsqContext,
  { options, operand, more }: Arguments,
  act: (place: Place, name: string) => Promise<ItemMoved>,
): Promise<number> {
  const place =
    options.host === undefined
      ? await queuePlace(context, operand)
      : await hostPlace(context, operand, options.host);
  const problems: string[] = [];
  for (const name of more) {
    const moved = await act(place, name);
    if (moved.kind === 'moved') await note(context, options.verbose, `${name} is now ${moved.path}`);
    else problems.push(`${name}: ${moved.kind === 'busy' ? 'it is running' : 'there is no such item'}`);
  }
  if (problems.length > 0) throw new QueueError('not-possible', `${operand}: ${problems.join('; ')}`);
  return context.constants.success;
}
