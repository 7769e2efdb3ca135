import { appendFileSync, closeSync, existsSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Inbox, newInbox } from '../../src/monitor/inbox.ts';
import { parseMessage } from '../../src/monitor/messages.ts';
import { machineWith, shiftedClock } from '../support/machines.ts';
import { useTemporary } from '../support/temporary.ts';

const temporary = useTemporary();

async function linesOf(inbox: Inbox): Promise<string[]> {
  const mail = await inbox.read();
  await mail.done();
  return mail.lines.filter((line) => line !== '');
}

describe('the file of messages', () => {
  const open = () => {
    const clock = shiftedClock();
    return { clock, inbox: newInbox(machineWith({ clock }), temporary.path('reads')) };
  };

  it('is read whole, and gone', async () => {
    const { inbox } = open();
    expect(await linesOf(inbox)).toEqual([]);
    writeFileSync(temporary.path('reads'), 'ONE\nTWO\n');
    expect(await linesOf(inbox)).toEqual(['ONE', 'TWO']);
    expect([existsSync(temporary.path('reads')), existsSync(temporary.path('reads.taken'))]).toEqual([
      false,
      false,
    ]);
    await inbox.close();
  });

  it('is read on for whoever had it open', async () => {
    const { inbox, clock } = open();
    const late = openSync(temporary.path('reads'), 'a');
    writeSync(late, 'ONE\n');
    expect(await linesOf(inbox)).toEqual(['ONE']);
    writeSync(late, 'TWO\n');
    expect(await linesOf(inbox)).toEqual(['TWO']);
    clock.advance(50_000);
    writeSync(late, 'THREE\n');
    expect(await linesOf(inbox)).toEqual(['THREE']);
    closeSync(late);
    clock.advance(61_000);
    await linesOf(inbox);
    await inbox.close();
  });

  it('waits for the end of a line, a second at most, and keeps its name until then', async () => {
    const { inbox, clock } = open();
    writeFileSync(temporary.path('reads'), 'ONE\nSHUT');
    expect(await linesOf(inbox)).toEqual(['ONE']);
    expect(await linesOf(inbox)).toEqual([]);
    expect(inbox.isUnfinished).toBe(true);
    appendFileSync(temporary.path('reads.taken'), 'DOWN\n');
    writeFileSync(temporary.path('reads'), 'NEXT\nLAST');
    expect(await linesOf(inbox)).toEqual(['SHUTDOWN']);
    expect(await linesOf(inbox)).toEqual(['NEXT']);
    expect(await linesOf(inbox)).toEqual([]);
    clock.advance(1000);
    expect(await linesOf(inbox)).toEqual(['LAST']);
    expect(inbox.isUnfinished).toBe(false);
    expect(existsSync(temporary.path('reads.taken'))).toBe(false);
    await inbox.close();
  });

  it('may be too large', async () => {
    const { inbox } = open();
    writeFileSync(temporary.path('reads'), `ONE\n${'x'.repeat(3 * 1024 * 1024)}\nTWO\n`);
    const mail = await inbox.read();
    expect(mail.complaint).toContain('longer than 1 MiB');
    expect(mail.lines.join('').length).toBeLessThan(1024 * 1024 + 10);
    await mail.done();
    await inbox.close();
  });

  it('that is empty is not taken', async () => {
    const { inbox } = open();
    writeFileSync(temporary.path('reads'), '');
    expect(await linesOf(inbox)).toEqual([]);
    expect(await inbox.isAboutToBeWritten()).toBe(true);
    await inbox.close();
  });
});

describe('a message', () => {
  it.each([
    ['', undefined],
    ['  # a remark', undefined],
    ['shutdown', { keyword: 'SHUTDOWN' }],
    [' KILL JOB \r', { keyword: 'KILL JOB' }],
    ['KILL JOB a b', { keyword: 'KILL JOB', name: 'a b' }],
    ['RETRY a', { keyword: 'RETRY', name: 'a' }],
    ['RETRY', { wrong: '"RETRY": Expected the name of a unit of work behind RETRY' }],
    ['RETRYa', { wrong: 'there is no message "RETRYa"; HELP says which there are' }],
    ['FINISH it', { wrong: '"FINISH it": FINISH stands alone' }],
  ])('%j', (line, expected) => {
    expect(parseMessage(line)).toEqual(expected);
  });
});
