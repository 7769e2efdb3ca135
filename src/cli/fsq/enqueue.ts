import { enqueue } from '../../fsq/enqueue.ts';
import { pullTrigger } from '../../fsq/trigger.ts';
import { closeQuietly } from '../../os/close-quietly.ts';
import { type Descriptor, STDIN } from '../../os/ports.ts';
import { copyAll } from '../../os/transfer.ts';
import { QueueError, reasonOf } from '../../queue/errors.ts';
import { type FsqArguments, type FsqContext, note, queuePlace } from './context.ts';

type Options = {
  readonly verbose: boolean;
  readonly user: string | undefined;
  readonly group: string | undefined;
  readonly mode: number | undefined;
  readonly file: string | undefined;
  readonly empty: boolean;
  readonly trigger: boolean;
};

export async function enqueueItem(context: FsqContext, args: FsqArguments<Options>): Promise<number> {
  const { machine, constants } = context;
  const { options } = args;
  const place = await queuePlace(context, args.operand);
  const own = {
    ...constants,
    itemUser: options.user ?? constants.itemUser,
    itemGroup: options.group ?? constants.itemGroup,
    itemMode: options.mode ?? constants.itemMode,
  };
  const source = await openSource(context, options);
  try {
    const name = await enqueue(machine, place, own, {
      args: args.more,
      write: async (target) => (source === undefined ? 0 : copyAll(machine.files, source, target)),
    });
    await note(context, options.verbose, `${args.operand}: enqueued ${name}`);
  } finally {
    if (source !== undefined && source !== STDIN) await closeQuietly(machine.files, source);
  }
  if (options.trigger || constants.useTrigger) await pullTrigger(machine, place.trigger);
  return constants.success;
}

async function openSource(
  { machine }: FsqContext,
  { empty, file }: Options,
): Promise<Descriptor | undefined> {
  if (empty) return undefined;
  if (file === undefined || file === '-') return STDIN;
  try {
    return await machine.files.open(file, 'read');
  } catch (error) {
    throw new QueueError('not-a-file', `${file}: ${reasonOf(error)}`, { cause: error });
  }
}
