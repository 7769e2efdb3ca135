import { installHost, uninstall } from '../../fsq/install.ts';
import { isDown } from '../../fsq/place.ts';
import { QueueError } from '../../queue/errors.ts';
import { type FsqArguments, type FsqContext, hostPlace, note, queuePlace } from './context.ts';
import { existing } from './install.ts';

type Add = {
  readonly verbose: boolean;
  readonly force: boolean;
  readonly 'is-down': boolean;
  readonly 'ignore-exists': boolean;
};
type Remove = { readonly verbose: boolean; readonly force: boolean };

export async function addHost(context: FsqContext, args: FsqArguments<Add>): Promise<number> {
  const { machine, constants } = context;
  const { options, operand: host } = args;
  for (const name of args.more) {
    const { directory } = await queuePlace(context, name);
    const isNew = await installHost(machine, directory, host, constants, {
      existing: existing(options),
      isDown: options['is-down'],
    });
    await note(context, options.verbose, `${name}, ${host}: ${isNew ? 'added' : 'it is there already'}`);
  }
  return constants.success;
}

export async function removeHost(context: FsqContext, args: FsqArguments<Remove>): Promise<number> {
  const { machine, constants } = context;
  const { options, operand: host } = args;
  for (const name of args.more) {
    const place = await hostPlace(context, name, host);
    const waiting = await machine.files.readdir(place.waiting);
    if (waiting.length > 0 && !options.force) {
      throw new QueueError(
        'not-possible',
        `${place.directory}: ${waiting.length} items wait in it${(await isDown(machine, place)) ? '' : ', and it is not down'}; -f removes them too`,
      );
    }
    await uninstall(machine, place.directory, constants);
    await note(context, options.verbose, `${name}, ${host}: removed`);
  }
  return constants.success;
}
