import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { realMachine } from '../../src/os/real/index.ts';
import { LAST_SEQUENCE, sequence } from '../../src/packet/header.ts';
import { NO_SEQUENCE_FILE, newHeader, peekNumber, setNumber, takeNumber } from '../../src/spool/sender.ts';
import { machineWith, manualClock } from '../support/machines.ts';
import { useTemporary } from '../support/temporary.ts';

const temporary = useTemporary();

describe('a sender', () => {
  it('takes numbers from 1 on', async () => {
    const path = temporary.path('seq');
    for (const number of [1n, 2n, 3n]) expect(await takeNumber(realMachine, path)).toBe(number);
    expect(readFileSync(path, 'utf8')).toBe('4\n');
    expect(readdirSync(temporary.path()).sort()).toEqual(['seq', 'seq.lock']);
  });

  it('takes 0 after the last number', async () => {
    const path = temporary.path('seq');
    writeFileSync(path, `${LAST_SEQUENCE - 1n}\n`);
    const taken = [];
    for (let n = 0; n < 4; n++) taken.push(await takeNumber(realMachine, path));
    expect(taken).toEqual([LAST_SEQUENCE - 1n, LAST_SEQUENCE, 0n, 1n]);
  });

  it('takes 1 without a sequence file, and makes none', async () => {
    expect(await takeNumber(realMachine, NO_SEQUENCE_FILE)).toBe(1n);
    expect(existsSync('-.lock')).toBe(false);
  });

  it('never takes a number twice, however many there are at once', async () => {
    const path = temporary.path('seq');
    const taken = await Promise.all(Array.from({ length: 20 }, () => takeNumber(realMachine, path)));
    expect(taken.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, at) => at + 1));
  });

  it('looks without taking, and makes the file as the original does', async () => {
    const path = temporary.path('seq');
    expect(await peekNumber(realMachine, path)).toBe(1n);
    expect(readFileSync(path, 'utf8')).toBe('1\n');
    expect(await peekNumber(realMachine, path)).toBe(1n);
  });

  it('sets the next number', async () => {
    const path = temporary.path('seq');
    await setNumber(realMachine, path, sequence(42));
    expect(await takeNumber(realMachine, path)).toBe(42n);
  });

  it('does not set it over a file that is no sequence file', async () => {
    const path = temporary.path('seq');
    writeFileSync(path, 'precious\n');
    await expect(setNumber(realMachine, path, sequence(42))).rejects.toMatchObject({
      code: 'sequence-damaged',
    });
    expect(readFileSync(path, 'utf8')).toBe('precious\n');
  });

  it('stamps a header with the number and the time', async () => {
    const machine = machineWith({ clock: manualClock() });
    const header = await newHeader(machine, temporary.path('seq'), { kind: 'nop' });
    expect(header).toEqual({ seq: 1n, ctime: machine.clock.now(), work: { kind: 'nop' } });
  });
});
