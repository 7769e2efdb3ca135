import { mkdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createQueue, initQueue } from '../../src/open/create.ts';
import { openQueue } from '../../src/open/open.ts';
import { recognise } from '../../src/open/recognise.ts';
import { realMachine } from '../../src/os/real/index.ts';
import type { LayoutName } from '../../src/queue/snapshot.ts';
import { useTemporary } from '../support/temporary.ts';

const temporary = useTemporary();
const DIRECTORIES = ['filespooler', 'dirqueue', 'fsq'] as const satisfies readonly LayoutName[];

describe.each(DIRECTORIES)('a queue of %s', (layout) => {
  it('is made, and can be added to', async () => {
    const path = temporary.path('queue');
    const queue = await createQueue(realMachine, path, { layout });
    await queue.add({ payload: 'x' });
    expect((await recognise(realMachine, path))?.name).toBe(layout);
    expect((await (await openQueue(realMachine, path)).jobs()).jobs).toHaveLength(1);
    await expect(createQueue(realMachine, path, { layout })).rejects.toMatchObject({ code: 'exists' });
  });

  it('is made where there is none, and left where there is one', async () => {
    const path = temporary.path('queue');
    expect(await initQueue(realMachine, path, { layout })).toMatchObject({ made: true });
    await (await openQueue(realMachine, path)).add({ payload: 'x' });
    expect(await initQueue(realMachine, path, { layout })).toMatchObject({ made: false });
    expect((await (await openQueue(realMachine, path)).jobs()).jobs).toHaveLength(1);
  });

  it('is not made where there is something else', async () => {
    const path = temporary.path('queue');
    mkdirSync(`${path}/letters`, { recursive: true });
    await expect(initQueue(realMachine, path, { layout })).rejects.toMatchObject({ code: 'exists' });
  });
});

it.each([
  [{ layout: 'fsq', order: 'sequence' }, 'have no numbers'],
  [{ layout: 'dirqueue', replicas: 3 }, 'has no replicas'],
  [{ layout: 'jetstream' }, 'has an address'],
  [{ layout: 'uow' }, 'intray monitor'],
] as const)('refuses %j', async (options, sentence) => {
  await expect(initQueue(realMachine, temporary.path('queue'), options)).rejects.toThrow(sentence);
});

it('refuses a queue on servers of another layout', async () => {
  const making = createQueue(realMachine, 'nats://localhost/queue', { layout: 'filespooler' });
  await expect(making).rejects.toThrow('that of a queue on NATS');
});
