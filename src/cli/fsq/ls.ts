import { type Item, textOf } from '../../fsq/item-name.ts';
import { listItems } from '../../fsq/listing.ts';
import { readRuns } from '../../fsq/run-notes.ts';
import { formatMs } from '../../os/calendar.ts';
import { printJsonLine } from '../json.ts';
import { printable } from '../printable.ts';
import { type FsqArguments, type FsqContext, hostPlace, queuePlace } from './context.ts';

type Options = {
  readonly done: boolean;
  readonly failed: boolean;
  readonly host: string | undefined;
  readonly json: boolean;
};

export async function listQueue(context: FsqContext, args: FsqArguments<Options>): Promise<number> {
  const { machine, constants, print } = context;
  const { options, operand } = args;
  const place =
    options.host === undefined
      ? await queuePlace(context, operand)
      : await hostPlace(context, operand, options.host);
  const room = options.failed ? place.fail : options.done ? place.done : place.waiting;
  const { items, malformed } = await listItems(machine, room, constants);
  const why = async (id: string): Promise<string | undefined> => {
    if (!options.failed) return undefined;
    return (await readRuns(machine, place, id)).at(-1)?.reason;
  };
  for (const { item } of items) {
    const reason = await why(item.id);
    if (options.json) await printJsonLine(context, documentOf(item, reason));
    else await print(`${printable(item.name)}${reason === undefined ? '' : `  ${printable(reason)}`}\n`);
  }
  for (const { name, message } of malformed) {
    const reason = (await why(name)) ?? message;
    if (options.json) await printJsonLine(context, { name, malformed: reason });
    else await print(`${printable(name)}  ${printable(reason)}\n`);
  }
  return constants.success;

  function documentOf(item: Item, reason: string | undefined) {
    return {
      name: item.name,
      id: item.id,
      enqueued: formatMs(item.enqueuedMs),
      entropy: item.entropy,
      pid: item.pid,
      hostname: item.host,
      tries: item.tries,
      arguments: item.args.map((arg) => textOf(arg, constants.charset)),
      ...(reason === undefined ? {} : { reason }),
    };
  }
}
