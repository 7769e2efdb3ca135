import { bringUp, takeDown } from '../../fsq/down.ts';
import type { Place } from '../../fsq/place.ts';
import { type FsqArguments, type FsqContext, hostPlace, note, queuePlace } from './context.ts';

type Verbose = { readonly verbose: boolean };
type Owned = Verbose & {
  readonly user: string | undefined;
  readonly group: string | undefined;
  readonly mode: number | undefined;
};

export async function up(context: FsqContext, args: FsqArguments<Verbose>): Promise<number> {
  for (const name of [args.operand, ...args.more]) {
    await bring(context, args.options, name, await queuePlace(context, name));
  }
  return context.constants.success;
}

export async function down(context: FsqContext, args: FsqArguments<Owned>): Promise<number> {
  for (const name of [args.operand, ...args.more]) {
    await stop(context, args.options, name, await queuePlace(context, name));
  }
  return context.constants.success;
}

export async function upHost(context: FsqContext, args: FsqArguments<Verbose>): Promise<number> {
  for (const name of args.more) {
    await bring(
      context,
      args.options,
      `${name}, ${args.operand}`,
      await hostPlace(context, name, args.operand),
    );
  }
  return context.constants.success;
}

export async function downHost(context: FsqContext, args: FsqArguments<Owned>): Promise<number> {
  for (const name of args.more) {
    await stop(
      context,
      args.options,
      `${name}, ${args.operand}`,
      await hostPlace(context, name, args.operand),
    );
  }
  return context.constants.success;
}

async function bring(context: FsqContext, { verbose }: Verbose, name: string, place: Place): Promise<void> {
  const wasDown = await bringUp(context.machine, place);
  await note(context, verbose, wasDown ? `${name}: up` : `${name}: it was up already`);
}

async function stop(context: FsqContext, options: Owned, name: string, place: Place): Promise<void> {
  const { constants } = context;
  const wasUp = await takeDown(context.machine, place, {
    ...constants,
    itemUser: options.user ?? constants.itemUser,
    itemGroup: options.group ?? constants.itemGroup,
    itemMode: options.mode ?? constants.itemMode,
  });
  await note(context, options.verbose, wasUp ? `${name}: down` : `${name}: it was down already`);
}
