import { describe, expect, it } from 'vitest';
import type { Context } from '../../src/cli/context.ts';
import { JsonTeller } from '../../src/cli/intray/work-json.ts';
import { WordsTeller } from '../../src/cli/intray/work-words.ts';
import { realMachine } from '../../src/os/real/index.ts';
import type { Queue } from '../../src/queue/contract.ts';

function contextOf() {
  const said: string[] = [];
  const context = {
    machine: realMachine,
    print: async (text: string) => void said.push(text),
    log: async (level: string, text: string) => void said.push(`${level}: ${text}`),
  } as unknown as Context;
  return { context, said };
}

const queues = ['/a', '/b'].map((location) => ({ location }) as Queue);

describe('a queue from which no file events come', () => {
  it('is told in words, and of many the first', async () => {
    const { context, said } = contextOf();
    const teller = new WordsTeller(context, {
      logged: true,
      terminal: false,
      progress: false,
      retries: 0,
      paramsAllowed: false,
      watch: true,
    });
    const end = teller.begin({ find: async () => queues, changing: false });
    for (const queue of queues) teller.noEvents(queue);
    await end();
    expect(said).toEqual([
      'info: no file events come from /a, so new jobs are looked for, five times a second',
    ]);
  });

  it('is told as JSON, each', async () => {
    const { context, said } = contextOf();
    const teller = new JsonTeller(context);
    const end = teller.begin();
    for (const queue of queues) teller.noEvents(queue);
    await end();
    expect(said.map((line) => JSON.parse(line))).toMatchObject([
      { event: 'no-events', queue: '/a' },
      { event: 'no-events', queue: '/b' },
    ]);
  });
});
