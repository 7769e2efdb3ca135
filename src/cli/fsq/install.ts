import { install } from '../../fsq/install.ts';
import { type FsqArguments, type FsqContext, note, pathOf } from './context.ts';

type Options = {
  readonly verbose: boolean;
  readonly force: boolean;
  readonly 'is-down': boolean;
  readonly 'is-triggered': boolean;
  readonly 'ignore-exists': boolean;
  readonly owner: string | undefined;
  readonly group: string | undefined;
  readonly mode: number | undefined;
  readonly 'add-host': readonly string[];
};

export async function installQueues(context: FsqContext, args: FsqArguments<Options>): Promise<number> {
  const { machine, constants } = context;
  const { options } = args;
  const own = {
    ...constants,
    queueUser: options.owner ?? constants.queueUser,
    queueGroup: options.group ?? constants.queueGroup,
    queueMode: options.mode ?? constants.queueMode,
  };
  for (const name of [args.operand, ...args.more]) {
    const isNew = await install(machine, pathOf(context, name), own, {
      existing: existing(options),
      isDown: options['is-down'],
      hasTrigger: options['is-triggered'],
      hosts: options['add-host'],
    });
    await note(context, options.verbose, isNew ? `${name}: installed` : `${name}: it is there already`);
  }
  return constants.success;
}

export function existing(options: {
  readonly force: boolean;
  readonly 'ignore-exists': boolean;
}): 'refuse' | 'replace' | 'keep' {
  if (options.force) return 'replace';
  return options['ignore-exists'] ? 'keep' : 'refuse';
}
