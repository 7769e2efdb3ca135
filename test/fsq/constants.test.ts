import { describe, expect, it } from 'vitest';
import { CONSTANT_NAMES, constantsFrom, DEFAULTS, setConstant } from '../../src/fsq/constants.ts';

const from = (env: Record<string, string>) => constantsFrom(new Map(Object.entries(env)));

describe('the constants of fsq', () => {
  it('are the defaults when the environment says nothing', () => {
    expect(from({ PATH: '/bin', FSQ_NO_SUCH: 'x' })).toEqual(DEFAULTS);
    expect(DEFAULTS.timeFormat.format).toBe('%Y%m%d%H%M%S');
  });

  it.each([
    ['FSQ_CHARSET', 'UTF-8', { charset: 'utf8' }],
    ['FSQ_CHARSET', 'iso-8859-1', { charset: 'latin1' }],
    ['FSQ_DELIMITER', ',', { delimiter: ',' }],
    ['FSQ_ENCODE', '=', { encode: '=' }],
    ['FSQ_QUEUE', 'q', { queue: 'q' }],
    ['FSQ_DONE', 'd', { done: 'd' }],
    ['FSQ_FAIL', 'f', { fail: 'f' }],
    ['FSQ_TMP', 't', { tmp: 't' }],
    ['FSQ_DOWN', 'halt', { down: 'halt' }],
    ['FSQ_TRIGGER', 'bell', { trigger: 'bell' }],
    ['FSQ_ROOT', '/srv', { root: '/srv' }],
    ['FSQ_HOSTS', 'h', { hosts: 'h' }],
    ['FSQ_HOSTS_TRIGGER', 'hb', { hostsTrigger: 'hb' }],
    ['FSQ_ITEM_USER', 'www', { itemUser: 'www' }],
    ['FSQ_ITEM_GROUP', '12', { itemGroup: '12' }],
    ['FSQ_QUEUE_USER', 'www', { queueUser: 'www' }],
    ['FSQ_QUEUE_GROUP', '', { queueGroup: '' }],
    ['FSQ_ITEM_MODE', '00600', { itemMode: 0o600 }],
    ['FSQ_QUEUE_MODE', '02750', { queueMode: 0o2750 }],
    ['FSQ_FAIL_TMP', '75', { failTmp: 75 }],
    ['FSQ_FAIL_PERM', '1', { failPerm: 1 }],
    ['FSQ_SUCCESS', '3', { success: 3 }],
    ['FSQ_USE_TRIGGER', '1', { useTrigger: true }],
    ['FSQ_LOCK', '0', { lock: false }],
    ['FSQ_MAX_TRIES', '5', { maxTries: 5 }],
    ['FSQ_TTL', '3600', { ttl: 3600 }],
  ] as const)('%s is read: %s', (name, text, expected) => {
    expect(from({ [name]: text })).toMatchObject(expected);
    expect(setConstant(DEFAULTS, name, text)).toMatchObject(expected);
  });

  it('each has a variable', () => {
    expect(CONSTANT_NAMES).toHaveLength(Object.keys(DEFAULTS).length);
  });

  it.each([
    ['FSQ_CHARSET', 'ebcdic'],
    ['FSQ_DELIMITER', ''],
    ['FSQ_DELIMITER', '__'],
    ['FSQ_DELIMITER', '/'],
    ['FSQ_DELIMITER', 'é'],
    ['FSQ_DELIMITER', '%'],
    ['FSQ_DELIMITER', '2'],
    ['FSQ_DELIMITER', 'f'],
    ['FSQ_ENCODE', '_'],
    ['FSQ_ENCODE', '/'],
    ['FSQ_TIMEFMT', '%Q'],
    ['FSQ_TIMEFMT', ''],
    ['FSQ_QUEUE', '../up'],
    ['FSQ_QUEUE', '..'],
    ['FSQ_ROOT', ''],
    ['FSQ_ITEM_MODE', '0999'],
    ['FSQ_ITEM_MODE', '77777'],
    ['FSQ_FAIL_TMP', '256'],
    ['FSQ_MAX_TRIES', '-1'],
    ['FSQ_MAX_TRIES', 'many'],
    ['FSQ_TTL', '1.5'],
    ['FSQ_LOCK', 'yes'],
  ])('%s is refused with a sentence: %s', (name, text) => {
    expect(() => from({ [name]: text })).toThrow(expect.objectContaining({ code: 'bad-setting' }));
    expect(() => from({ [name]: text })).toThrow(name);
  });
});
