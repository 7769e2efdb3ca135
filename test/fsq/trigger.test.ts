import { writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { listen, pullTrigger } from '../../src/fsq/trigger.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { useTemporary } from '../support/temporary.ts';

const temporary = useTemporary();

async function fifo(): Promise<string> {
  const path = temporary.path('trigger-s');
  await realMachine.files.mkfifo?.(path);
  return path;
}

it('a trigger without a listener, or none at all, is pulled in vain', async () => {
  expect(await pullTrigger(realMachine, await fifo())).toBe(false);
  expect(await pullTrigger(realMachine, temporary.path('missing'))).toBe(false);
});

it('a listener is told, of what was before it asked too, and of many as of one', async () => {
  const path = await fifo();
  const listener = await listen(realMachine, path);
  for (let turn = 0; turn < 100; turn++) expect(await pullTrigger(realMachine, path)).toBe(true);
  await listener.pulled();
  const [told] = await Promise.all([listener.pulled().then(() => true), pullTrigger(realMachine, path)]);
  expect(told).toBe(true);
  await listener.close();
});

it('whoever pulls never waits, however full the FIFO is', async () => {
  const path = await fifo();
  const listener = await listen(realMachine, path);
  for (let turn = 0; turn < 70_000; turn++) await pullTrigger(realMachine, path);
  await listener.pulled();
  await listener.close();
});

it('a listener can be ended while it waits', async () => {
  const listener = await listen(realMachine, await fifo());
  const waiting = listener.pulled();
  await listener.close();
  await waiting;
});

it('a file is no trigger', async () => {
  writeFileSync(temporary.path('file'), '');
  await expect(pullTrigger(realMachine, temporary.path('file'))).rejects.toMatchObject({
    code: 'not-possible',
  });
  await expect(listen(realMachine, temporary.path('file'))).rejects.toMatchObject({ code: 'not-possible' });
  await expect(listen(realMachine, temporary.path('none'))).rejects.toMatchObject({ code: 'not-possible' });
});
