import { describe, expect, it } from 'vitest';
import { parseLocation } from '../../src/jetstream/location.ts';

describe('where a queue on NATS is', () => {
  it.each([
    ['nats://localhost/q', ['localhost:4222'], 'q'],
    ['nats://localhost:4333/q', ['localhost:4333'], 'q'],
    ['nats://a,b:1,c.example/jobs_2-x', ['a:4222', 'b:1', 'c.example:4222'], 'jobs_2-x'],
    ['nats://[::1]:4333/q', ['[::1]:4333'], 'q'],
    ['nats://localhost/q/', ['localhost:4222'], 'q'],
  ])('%s', (text, servers, name) => {
    expect(parseLocation(text)).toEqual({ text, servers, name });
  });

  it.each([
    'nats://localhost',
    'nats://localhost/',
    'nats:///q',
    'nats://localhost/a.b',
    'nats://localhost/a/b',
    'nats://localhost/a b',
    'nats://localhost/*',
    'nats://localhost/>',
    `nats://localhost/${'x'.repeat(65)}`,
    'nats://me:secret@localhost/q',
    'nats://a,,b/q',
    'nats://localhost:port/q',
    'nats://localhost/q\n',
  ])('%j is none', (text) => {
    expect(() => parseLocation(text)).toThrow(expect.objectContaining({ code: 'not-a-queue' }));
  });

  it('keeps a password to itself', () => {
    expect(() => parseLocation('nats://me:secret@localhost/q')).toThrow(/NATS_PASSWORD/);
  });
});
