/**
 * What fsq calls its constants: how names are written, where things are, how items are tried. Each has a variable of
 * the environment, which is how the original is told, and a default.
 */

import { type TimeFormat, timeFormat } from '../os/strftime.ts';
import { QueueError } from '../queue/errors.ts';

export type Charset = 'utf8' | 'ascii' | 'latin1';

export type Constants = {
  /** What the bytes of a name must be. */
  readonly charset: Charset;
  /** Begins the names that are made, and parts their fields. */
  readonly delimiter: string;
  /** Two hexadecimal digits behind it stand for what a field cannot hold. */
  readonly encode: string;
  readonly timeFormat: TimeFormat;
  /** Names of what is in a queue's directory. */
  readonly queue: string;
  readonly done: string;
  readonly fail: string;
  readonly tmp: string;
  readonly down: string;
  readonly trigger: string;
  readonly hosts: string;
  readonly hostsTrigger: string;
  /** The directory that queues are in. */
  readonly root: string;
  /** Names or numbers; '' leaves it to the system. */
  readonly itemUser: string;
  readonly itemGroup: string;
  readonly queueUser: string;
  readonly queueGroup: string;
  readonly itemMode: number;
  readonly queueMode: number;
  /** Exit statuses: of work that has failed for now, that has failed for good, that is done. */
  readonly failTmp: number;
  readonly failPerm: number;
  readonly success: number;
  readonly useTrigger: boolean;
  /** Whether items are locked while they are worked. */
  readonly lock: boolean;
  /** 0: any number. */
  readonly maxTries: number;
  /** Seconds; 0: for ever. */
  readonly ttl: number;
};

type Read = (text: string) => { readonly set: Partial<Constants> } | { readonly expected: string };

const FORMAT = timeFormat('%Y%m%d%H%M%S') as TimeFormat;

export const DEFAULTS: Constants = {
  charset: 'utf8',
  delimiter: '_',
  encode: '%',
  timeFormat: FORMAT,
  queue: 'queue',
  done: 'done',
  fail: 'fail',
  tmp: 'tmp',
  down: 'down',
  trigger: 'trigger-s',
  hosts: 'hosts',
  hostsTrigger: 'hosts-trigger-s',
  root: '/var/fsq',
  itemUser: '',
  itemGroup: '',
  queueUser: '',
  queueGroup: '',
  itemMode: 0o640,
  queueMode: 0o2770,
  failTmp: 111,
  failPerm: 100,
  success: 0,
  useTrigger: false,
  lock: true,
  maxTries: 1,
  ttl: 0,
};

const CHARSETS: Readonly<Record<string, Charset>> = {
  utf8: 'utf8',
  ascii: 'ascii',
  usascii: 'ascii',
  latin1: 'latin1',
  iso88591: 'latin1',
  l1: 'latin1',
};

/** One component of a path. */
export function isComponent(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name);
}

type Parse<T> = (text: string) => { readonly value: T } | { readonly expected: string };

/** A constant and how its text is read. */
function setting<K extends keyof Constants>(key: K, parse: Parse<Constants[K]>): Read {
  return (text) => {
    const parsed = parse(text);
    return 'expected' in parsed ? parsed : { set: { [key]: parsed.value } as Partial<Constants> };
  };
}

const charset: Parse<Charset> = (text) => {
  const value = CHARSETS[text.toLowerCase().replace(/[-_]/g, '')];
  return value === undefined ? { expected: 'utf8, ascii or latin1' } : { value };
};

const isAscii = (text: string) => text.length === 1 && text > '\0' && text <= '\x7f';

const character: Parse<string> = (text) =>
  isAscii(text) && text !== '/'
    ? { value: text }
    : { expected: 'one ASCII character that may be part of a file name' };

const component: Parse<string> = (text) =>
  isComponent(text) ? { value: text } : { expected: 'a name without a slash' };

const time: Parse<TimeFormat> = (text) => {
  const value = text === '' ? undefined : timeFormat(text);
  return value === undefined
    ? { expected: 'a format of strftime with %Y %y %m %d %H %I %M %S %p %f %j %a %A %b %B %w %s %z %%' }
    : { value };
};

const directory: Parse<string> = (text) => (text === '' ? { expected: 'a directory' } : { value: text });

const anything: Parse<string> = (text) => ({ value: text });

/** An octal mode, as `chmod` takes it. */
export const mode: Parse<number> = (text) => {
  const value = /^(0o)?[0-7]{1,6}$/.test(text) ? Number.parseInt(text.replace('0o', ''), 8) : 0o10000;
  return value > 0o7777 ? { expected: 'an octal mode such as 0640' } : { value };
};

export const whole =
  (most: number): Parse<number> =>
  (text) =>
    /^\d{1,15}$/.test(text) && Number(text) <= most
      ? { value: Number(text) }
      : { expected: `a whole number from 0 to ${most}` };

const truth: Parse<boolean> = (text) =>
  /^\d{1,15}$/.test(text) ? { value: Number(text) !== 0 } : { expected: '0 or 1' };

export const exitStatus = whole(255);
export const count = whole(1e12);

const READERS = {
  FSQ_CHARSET: setting('charset', charset),
  FSQ_DELIMITER: setting('delimiter', character),
  FSQ_ENCODE: setting('encode', character),
  FSQ_TIMEFMT: setting('timeFormat', time),
  FSQ_QUEUE: setting('queue', component),
  FSQ_DONE: setting('done', component),
  FSQ_FAIL: setting('fail', component),
  FSQ_TMP: setting('tmp', component),
  FSQ_DOWN: setting('down', component),
  FSQ_TRIGGER: setting('trigger', component),
  FSQ_ROOT: setting('root', directory),
  FSQ_HOSTS: setting('hosts', component),
  FSQ_HOSTS_TRIGGER: setting('hostsTrigger', component),
  FSQ_ITEM_GROUP: setting('itemGroup', anything),
  FSQ_ITEM_USER: setting('itemUser', anything),
  FSQ_QUEUE_GROUP: setting('queueGroup', anything),
  FSQ_QUEUE_USER: setting('queueUser', anything),
  FSQ_ITEM_MODE: setting('itemMode', mode),
  FSQ_QUEUE_MODE: setting('queueMode', mode),
  FSQ_FAIL_TMP: setting('failTmp', exitStatus),
  FSQ_FAIL_PERM: setting('failPerm', exitStatus),
  FSQ_SUCCESS: setting('success', exitStatus),
  FSQ_USE_TRIGGER: setting('useTrigger', truth),
  FSQ_LOCK: setting('lock', truth),
  FSQ_MAX_TRIES: setting('maxTries', count),
  FSQ_TTL: setting('ttl', count),
} as const satisfies Record<string, Read>;

export type ConstantName = keyof typeof READERS;

export const CONSTANT_NAMES = Object.keys(READERS) as readonly ConstantName[];

/** The defaults, with what the environment says. Throws `bad-setting`. */
export function constantsFrom(env: ReadonlyMap<string, string>): Constants {
  let constants = DEFAULTS;
  for (const name of CONSTANT_NAMES) {
    const text = env.get(name);
    if (text !== undefined) constants = merged(constants, name, text);
  }
  return checked(constants);
}

/** One of them changed, as text. Throws `bad-setting`. */
export function setConstant(constants: Constants, name: ConstantName, text: string): Constants {
  return checked(merged(constants, name, text));
}

const VARIABLE_HINT = 'Correct the variable, or unset it.';

function merged(constants: Constants, name: ConstantName, text: string): Constants {
  const read = READERS[name](text);
  if ('expected' in read) {
    throw new QueueError(
      'bad-setting',
      `Expected ${name} to be ${read.expected}, got ${JSON.stringify(text)}`,
      { hint: VARIABLE_HINT },
    );
  }
  return { ...constants, ...read.set };
}

/**
 * A delimiter that is part of the code of something else would cut that in two: '/' is written as `%2f`, so 'f' cannot
 * part the fields; nor can any digit, for '1' would be written as `%31`.
 */
function checked(constants: Constants): Constants {
  const { delimiter, encode } = constants;
  const codes = [delimiter, encode, '/'].map(hexOf).join('');
  if (delimiter === encode || codes.includes(delimiter)) {
    throw new QueueError(
      'bad-setting',
      `FSQ_DELIMITER ${JSON.stringify(delimiter)} cannot be told from what FSQ_ENCODE ${JSON.stringify(encode)} writes`,
      { hint: VARIABLE_HINT },
    );
  }
  return constants;
}

/** Of an ASCII character. */
export function hexOf(character: string): string {
  return character.charCodeAt(0).toString(16).padStart(2, '0');
}
