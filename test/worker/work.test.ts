import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { realMachine } from '../../src/os/real/index.ts';
import type { Queue } from '../../src/queue/contract.ts';
import { createSpool } from '../../src/spool/spool.ts';
import type { Handler } from '../../src/worker/handler.ts';
import { workQueue } from '../../src/worker/work.ts';
import { notedPid, sleepingTree, treePids } from '../support/commands.ts';
import { alarmClock, machineWith } from '../support/machines.ts';
import { eventually, isRunning, openDescriptors, useTemporary } from '../support/temporary.ts';

const temporary = useTemporary();
let path: string;
let queue: Queue;

beforeEach(async () => {
  path = temporary.path('queue');
  queue = await createSpool(realMachine, path);
});

const EMPTY = { kind: 'idle', reason: 'empty' };
const script = (text: string) => ({ program: '/bin/sh', args: ['-c', text] });
const collect = (into: string[], read: (payload: Parameters<Handler>[1]) => Promise<string>): Handler => {
  return async (_, payload) => {
    into.push(await read(payload));
  };
};

describe('a function', () => {
  it.each([
    ['text', async (payload: Parameters<Handler>[1]) => payload.text()],
    ['bytes', async (payload: Parameters<Handler>[1]) => Buffer.from(await payload.bytes()).toString()],
    [
      'chunks',
      async (payload: Parameters<Handler>[1]) => {
        const chunks: Uint8Array[] = [];
        for await (const chunk of payload) chunks.push(chunk);
        return Buffer.concat(chunks).toString();
      },
    ],
  ])('reads payloads as %s', async (_, read) => {
    const payloads = ['', 'short', 'é'.repeat(200_000)];
    for (const payload of payloads) await queue.add({ payload });
    const got: string[] = [];
    const report = await workQueue(realMachine, queue, collect(got, read));
    expect(report).toEqual({ unreadable: [], succeeded: 3, failed: 0, ended: EMPTY });
    expect(got).toEqual(payloads);
  });

  it('need not read the payload, or not all of it', async () => {
    for (let n = 0; n < 3; n++) await queue.add({ payload: 'x'.repeat(1_000_000) });
    let calls = 0;
    const report = await workQueue(realMachine, queue, async (_, payload) => {
      calls += 1;
      if (calls === 2) for await (const _ of payload) break;
    });
    expect(report.succeeded).toBe(3);
  });

  it('reads a payload that is not UTF-8 as text and back', async () => {
    await queue.add({ payload: Uint8Array.of(0x61, 0xff) });
    const got: string[] = [];
    await workQueue(
      realMachine,
      queue,
      collect(got, (payload) => payload.text()),
    );
    expect(got).toEqual(['a\udcff']);
  });

  it('is not given more than it asks for', async () => {
    await queue.add({ payload: '12345' });
    const got: string[] = [];
    const over = await workQueue(realMachine, queue, async (_, payload) => payload.bytes(4));
    expect(over.ended).toMatchObject({ kind: 'failed', reason: 'The payload is longer than 4 bytes' });
    await workQueue(
      realMachine,
      queue,
      collect(got, (payload) => payload.text(5)),
    );
    expect(got).toEqual(['12345']);
  });

  it('that is not async is as good', async () => {
    await queue.add({});
    expect((await workQueue(realMachine, queue, () => 'anything')).succeeded).toBe(1);
  });

  it.each([
    [new Error('no luck'), 'no luck'],
    ['a string', 'a string'],
    [undefined, 'undefined'],
  ])('that throws %s fails its job with that', async (thrown, reason) => {
    await queue.add({});
    const report = await workQueue(realMachine, queue, () => {
      throw thrown;
    });
    expect(report).toMatchObject({ failed: 1, ended: { kind: 'failed', reason } });
    expect((await queue.jobs()).jobs).toHaveLength(1);
  });

  it('starts no process', async () => {
    await queue.add({});
    const machine = machineWith({
      processes: { ...realMachine.processes, spawn: () => Promise.reject(new Error('a process')) },
    });
    expect((await workQueue(machine, queue, () => {})).succeeded).toBe(1);
  });

  it('is told to stop; a job it gives up stays, one it finishes is done', async () => {
    await queue.add({});
    const stopIn = async (finish: boolean) => {
      const stop = new AbortController();
      return workQueue(
        realMachine,
        queue,
        (_, __, signal) => {
          stop.abort();
          if (!finish) signal.throwIfAborted();
        },
        { signal: stop.signal },
      );
    };
    expect(await stopIn(false)).toEqual({
      unreadable: [],
      succeeded: 0,
      failed: 0,
      ended: { kind: 'stopped' },
    });
    expect((await queue.jobs()).jobs).toHaveLength(1);
    expect(await stopIn(true)).toEqual({
      unreadable: [],
      succeeded: 1,
      failed: 0,
      ended: { kind: 'stopped' },
    });
    expect((await queue.jobs()).jobs).toEqual([]);
  });
});

describe('a command', () => {
  it('gets payload, variables and, if allowed, arguments', async () => {
    const out = temporary.path('out');
    await queue.add({ params: ['a b', ''], env: { NAME: 'va lue' }, payload: 'pay\nload' });
    const program = {
      ...script(`{ cat; echo "|$FSPL_SEQ|$FSPL_SET_NAME|$FSPL_PARAM_1|$#|$1"; } >> ${out}`),
    };
    const args = [...program.args, 'sh'];
    await workQueue(realMachine, queue, { ...program, args }, { onFailure: 'retry' });
    await queue.add({ params: ['a b', ''] });
    await workQueue(realMachine, queue, { ...program, args, allowJobParams: true });
    expect(readFileSync(out, 'utf8')).toBe('pay\nload|1|va lue|a b|0|\n|2||a b|2|a b\n');
  });

  it('that fails is tried again by the next call', async () => {
    await queue.add({});
    const flag = temporary.path('flag');
    const program = script(`[ -e ${flag} ]`);
    expect((await workQueue(realMachine, queue, program)).ended).toMatchObject({
      kind: 'failed',
      reason: 'it ended with exit code 1',
    });
    writeFileSync(flag, '');
    expect(await workQueue(realMachine, queue, program)).toEqual({
      unreadable: [],
      succeeded: 1,
      failed: 0,
      ended: EMPTY,
    });
  });

  it.each([
    ['delete', 0],
    ['leave', 2],
  ] as const)('that fails goes by %s, and %i files stay', async (onFailure, files) => {
    await queue.add({});
    await queue.add({});
    const report = await workQueue(realMachine, queue, script('exit 7'), { onFailure });
    expect(report).toEqual({ unreadable: [], succeeded: 0, failed: 2, ended: EMPTY });
    expect(readdirSync(`${path}/jobs`)).toHaveLength(files);
  });

  it('that cannot start changes nothing', async () => {
    await queue.add({});
    const program = { program: temporary.path('none') };
    for (const onFailure of ['retry', 'delete', 'leave'] as const) {
      await expect(workQueue(realMachine, queue, program, { onFailure })).rejects.toMatchObject({
        code: 'command-not-started',
      });
    }
    expect((await queue.jobs()).jobs).toHaveLength(1);
    await (await queue.session()).close();
  });

  it('is not looked for in an empty queue', async () => {
    expect((await workQueue(realMachine, queue, { program: '' })).ended).toEqual(EMPTY);
  });

  it('that is too slow is killed with all it started', async () => {
    await queue.add({});
    const clock = alarmClock();
    const program = { ...script(sleepingTree(temporary.path('tree'))), timeoutMs: 60_000 };
    const working = workQueue(machineWith({ clock }), queue, program);
    const pids = await treePids(temporary.path('tree'));
    clock.ring(60_000);
    expect((await working).ended).toMatchObject({ kind: 'failed', reason: 'it ran longer than 60 s' });
    await eventually(() => expect(pids.filter(isRunning)).toEqual([]));
  });

  it('is ended when the signal says so, and its job stays', async () => {
    await queue.add({});
    const stop = new AbortController();
    const pid = temporary.path('pid');
    const working = workQueue(realMachine, queue, script(`echo $$ > ${pid}; exec sleep 1000`), {
      signal: stop.signal,
      onFailure: 'delete',
    });
    const command = await notedPid(pid);
    stop.abort();
    expect(await working).toEqual({ unreadable: [], succeeded: 0, failed: 0, ended: { kind: 'stopped' } });
    expect(isRunning(command)).toBe(false);
    expect((await queue.jobs()).jobs).toHaveLength(1);
  });

  it('runs one at a time, in order, under one watchdog', async () => {
    const started: string[] = [];
    const { processes } = realMachine;
    const machine = machineWith({
      processes: {
        ...processes,
        spawn: (command) => {
          started.push(command.args.at(-1) ?? '');
          return processes.spawn(command);
        },
      },
    });
    for (let n = 0; n < 5; n++) await queue.add({});
    const out = temporary.path('out');
    const text = `echo begin $FSPL_SEQ >> ${out}; echo end $FSPL_SEQ >> ${out}`;
    const before = openDescriptors();
    await workQueue(machine, queue, script(text));
    expect(openDescriptors()).toEqual(before);
    expect(readFileSync(out, 'utf8')).toBe(
      [1, 2, 3, 4, 5].map((seq) => `begin ${seq}\nend ${seq}\n`).join(''),
    );
    expect(started).toEqual(['intray-watchdog', text, text, text, text, text]);
  });

  it('inherits the job and nothing else of ours: not the lock, not the note', async () => {
    await queue.add({});
    const [job] = (await queue.jobs()).jobs;
    const out = temporary.path('out');
    await workQueue(realMachine, queue, script(`readlink /proc/$$/fd/* > ${out}`));
    const open = readFileSync(out, 'utf8').split('\n');
    expect(open.filter((target) => target.includes(path))).toEqual([job?.path]);
    expect(open.filter((target) => target.includes('memfd'))).toEqual([]);
  });
});

describe('options', () => {
  it('limit the number of jobs, choose the order, keep what succeeded, unpack', async () => {
    for (const payload of ['1', '2', '3']) await queue.add({ payload });
    const got: string[] = [];
    const handler = collect(got, (payload) => payload.text());
    const first = await workQueue(realMachine, queue, handler, {
      maxJobs: 1,
      order: 'creation',
      keepSucceeded: true,
    });
    expect(first).toEqual({ unreadable: [], succeeded: 1, failed: 0, ended: { kind: 'limit' } });
    await workQueue(realMachine, queue, handler, { decoder: 'cat' });
    expect(got).toEqual(['1', '1', '2', '3']);
  });

  it('fail while another works the queue, and the lock is free afterwards', async () => {
    await queue.add({});
    await workQueue(realMachine, queue, async () => {
      await expect(workQueue(realMachine, queue, () => {})).rejects.toMatchObject({ code: 'locked' });
    });
    await (await queue.session()).close();
  });
});
