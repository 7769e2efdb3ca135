import { describe, expect, it } from 'vitest';
import { parseSshAddress } from '../../src/relay/address.ts';

describe('an address', () => {
  it.each([
    ['ssh://host/srv/q', undefined, 'host', undefined, '/srv/q'],
    ['ssh://me@host:2222/srv/q', 'me', 'host', 2222, '/srv/q'],
    ['ssh://host/~/q', undefined, 'host', undefined, 'q'],
    ['ssh://me@[::1]:22/q', 'me', '::1', 22, '/q'],
    ['ssh://host/with space and @:', undefined, 'host', undefined, '/with space and @:'],
  ])('%s is understood', (text, user, host, port, path) => {
    expect(parseSshAddress(text)).toEqual({ user, host, port, path });
  });

  it.each(['~/queue', '/srv/queue', 'nats://host/q', './ssh:', 'host:/srv'])('%s is none', (text) => {
    expect(parseSshAddress(text)).toBeUndefined();
  });

  it.each([
    'ssh://host',
    'ssh:///srv',
    'ssh://@host/srv',
    'ssh://-oProxyCommand=touch x/srv',
    'ssh://-l@host/srv',
    'ssh://host:65536/srv',
    'ssh://host:port/srv',
    'ssh://ho st/srv',
    'ssh://host/a\0b',
  ])('%s is refused', (text) => {
    expect(() => parseSshAddress(text)).toThrow(expect.objectContaining({ code: 'bad-setting' }));
  });
});
