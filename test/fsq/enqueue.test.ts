import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DEFAULTS } from '../../src/fsq/constants.ts';
import { bytesWriter, enqueue, enqueueAll } from '../../src/fsq/enqueue.ts';
import { installHost } from '../../src/fsq/install.ts';
import { hostPlaceAt } from '../../src/fsq/place.ts';
import { reenqueue } from '../../src/fsq/reenqueue.ts';
import type { Descriptor, OpenMode } from '../../src/os/ports.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { useTemporary } from '../support/temporary.ts';
import { newQueue, put, rooms, scanned } from './support.ts';

const temporary = useTemporary();

describe('adding an item', () => {
  it('names it by the time, this process and its arguments', async () => {
    const place = await newQueue(temporary.path('queue'));
    const name = await put(place, 'data', 'args', 'to', 'en/queue');
    const { pid } = process;
    expect(name).toMatch(new RegExp(`^_\\d{14}_\\d+_${pid}_${realMachine.host.name}_0_args_to_en%2fqueue$`));
    expect(readFileSync(`${place.waiting}/${name}`, 'utf8')).toBe('data');
    expect(statSync(`${place.waiting}/${name}`).mode & 0o7777).toBe(0o640);
    expect(rooms(place)).toEqual({ tmp: [], waiting: [name], done: [], fail: [] });
  });

  it('keeps the order of many', async () => {
    const place = await newQueue(temporary.path('queue'));
    const args = Array.from({ length: 150 }, (_, n) => String(n));
    const items = args.map((arg) => ({ args: [arg], write: bytesWriter(realMachine, arg) }));
    await enqueueAll(realMachine, place, DEFAULTS, items);
    expect(await scanned(place)).toEqual(args);
  });

  it('adds many where few files may be open', async () => {
    const place = await newQueue(temporary.path('queue'));
    const args = Array.from({ length: 50 }, (_, n) => String(n));
    const items = args.map((arg) => ({ args: [arg], write: bytesWriter(realMachine, arg) }));
    let open = 0;
    const { files } = realMachine;
    const machine = {
      ...realMachine,
      files: {
        ...files,
        open: async (path: string, mode: OpenMode) => {
          if (open === 20) throw Object.assign(new Error('EMFILE'), { code: 'EMFILE', syscall: 'open' });
          open += 1;
          return files.open(path, mode);
        },
        close: async (descriptor: Descriptor) => {
          open -= 1;
          await files.close(descriptor);
        },
      },
    };
    await enqueueAll(machine, place, DEFAULTS, items);
    expect(await scanned(place)).toEqual(args);
  });

  it('writes nothing when its arguments make no name, and adds none of many then', async () => {
    const place = await newQueue(temporary.path('queue'));
    const write = () => Promise.reject(new Error('nothing is to be written'));
    const long = { args: ['x'.repeat(300)], write };
    await expect(enqueue(realMachine, place, DEFAULTS, long)).rejects.toMatchObject({ code: 'not-written' });
    const many = [{ args: ['fits'], write: bytesWriter(realMachine, 'x') }, long];
    await expect(enqueueAll(realMachine, place, DEFAULTS, many)).rejects.toMatchObject({
      code: 'not-written',
    });
    expect(rooms(place)).toEqual({ tmp: [], waiting: [], done: [], fail: [] });
  });

  it('says when there is no queue', async () => {
    const place = await newQueue(temporary.path('queue'));
    rmSync(place.tmp, { recursive: true });
    await expect(put(place, 'x')).rejects.toMatchObject({ code: 'not-a-queue' });
  });

  it('raises the entropy when somebody has the name', async () => {
    const place = await newQueue(temporary.path('queue'));
    // The clock stands still, so only the entropy can differ.
    const clock = { ...realMachine.clock, now: () => ({ seconds: 0n, nanos: 0 }) };
    const machine = { ...realMachine, clock };
    const item = { args: ['a'], write: bytesWriter(realMachine, 'y') };
    const second = await enqueue(machine, place, DEFAULTS, item);
    writeFileSync(`${place.tmp}/${second.replace(/^(_\d+)_0_/, '$1_1_')}`, 'in the way');
    writeFileSync(`${place.waiting}/${second.replace(/^(_\d+)_0_/, '$1_2_')}`, 'in the way');
    const third = await enqueue(machine, place, DEFAULTS, item);
    expect(third).toBe(second.replace(/^(_\d+)_0_/, '$1_3_'));
  });
});

describe('putting an item into more queues', () => {
  it.each(['copy', 'link'] as const)('by %s, once', async (how) => {
    const place = await newQueue(temporary.path('queue'));
    const other = await newQueue(temporary.path('other'));
    await installHost(realMachine, place.directory, 'east', DEFAULTS);
    const targets = [other, hostPlaceAt(place.directory, 'east', DEFAULTS)];
    const name = await put(place, 'data', 'a');
    const source = { name, path: `${place.waiting}/${name}` };
    expect(await reenqueue(realMachine, source, targets, DEFAULTS, how)).toBe(2);
    expect(await reenqueue(realMachine, source, targets, DEFAULTS, how)).toBe(0);
    for (const target of targets) {
      expect(rooms(target)).toEqual({ tmp: [], waiting: [name], done: [], fail: [] });
      expect(readFileSync(`${target.waiting}/${name}`, 'utf8')).toBe('data');
      expect(await scanned(target)).toEqual(['a']);
    }
    expect(await reenqueue(realMachine, source, targets, DEFAULTS, how)).toBe(0);
    expect(rooms(place).waiting).toEqual([name]);
  });

  it('leaves nothing where it fails', async () => {
    const place = await newQueue(temporary.path('queue'));
    const other = await newQueue(temporary.path('other'));
    const name = await put(place, 'data', 'a');
    rmSync(other.waiting, { recursive: true });
    mkdirSync(temporary.path('elsewhere'));
    const source = { name, path: `${place.waiting}/${name}` };
    await expect(reenqueue(realMachine, source, [other], DEFAULTS, 'copy')).rejects.toMatchObject({
      code: 'ENOENT',
    });
    expect(rooms(place).waiting).toEqual([name]);
  });
});
