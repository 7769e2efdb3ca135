import { describe, expect, it } from 'vitest';
import { type Config, parseConfig } from '../../src/uow/config.ts';
import { fillTemplate, parseTemplate } from '../../src/uow/template.ts';

function configOf(text: string): Config {
  const parsed = parseConfig(text);
  if (!('jobs' in parsed)) throw new Error(JSON.stringify(parsed));
  return parsed;
}

function problemsWith(text: string): string[] {
  const parsed = parseConfig(text);
  return 'jobs' in parsed ? [] : parsed.map(({ line, message }) => `${line}: ${message}`);
}

describe('a config', () => {
  it('need not say anything', () => {
    expect(configOf('\n# nothing\n')).toMatchObject({
      sleepMs: 15_000,
      jobsAtOnce: 1,
      reads: 'monitor_reads',
    });
  });

  it('says everything', () => {
    const config = configOf(
      [
        '\ufeff# ours\r',
        'job deploy :: ansible-playbook -i {INVENTORY} {PLAYBOOK}\r',
        'timeout deploy :: 1h30m',
        'Sleep  Seconds :: 0.5',
        'quiet seconds :: 0',
        'jobs at once::3',
        'status html :: /srv/www/status.html',
        'name wait-q :: incoming jobs',
        'messages in :: /run/monitor_reads',
      ].join('\n'),
    );
    expect(config).toMatchObject({
      sleepMs: 500,
      quietMs: 0,
      jobsAtOnce: 3,
      statusHtml: '/srv/www/status.html',
      reads: '/run/monitor_reads',
    });
    expect(config.names['wait-q']).toBe('incoming jobs');
    expect(config.jobs.get('deploy')?.timeoutMs).toBe(5_400_000);
  });

  it('says of each mistake the line and what was expected', () => {
    expect(
      problemsWith(
        'slep seconds :: 3\nsleep seconds :: often\njust words\njobs at once :: 1.5\ntimeout x :: 5m\njob y :: "a b\nsleep seconds :: 4\nname trash :: ../x',
      ),
    ).toEqual([
      expect.stringMatching(/^1: there is no setting `slep seconds`; there are job TYPE, /),
      '2: Expected a number from 0.1 to 86400, got "often"',
      '3: Expected `NAME :: CONTENT`, got "just words"',
      '4: Expected a whole number, got "1.5"',
      '5: there is no `job x`',
      '6: Expected every quote to be closed, got ""a b"',
      '7: `sleep seconds` is there already, in line 2',
      '8: Expected a name without a slash, got "../x"',
    ]);
  });

  it('lets no two places have one name', () => {
    expect(problemsWith('name wait-q :: done-q')).toEqual(['1: done-q and wait-q are both called "done-q"']);
  });
});

describe('a command', () => {
  const filled = (text: string, items: Record<string, string>) => {
    const template = parseTemplate(text);
    if ('wrong' in template) return template.wrong;
    return fillTemplate(template, new Map(Object.entries(items)));
  };

  it.each<[string, Record<string, string>, readonly string[]]>([
    ['a  b', {}, ['a', 'b']],
    [`a 'b  c' "d \\"e\\"" f\\ g ''`, {}, ['a', 'b  c', 'd "e"', 'f g', '']],
    ['scp {FILE} {HOST}:/srv/{FILE}', { FILE: 'a b', HOST: 'h' }, ['scp', 'a b', 'h:/srv/a b']],
    ['echo {X}', { X: `$(rm -rf /) {Y} "';` }, ['echo', `$(rm -rf /) {Y} "';`]],
    [`awk '{{print $1}}' {F}`, { F: 'f' }, ['awk', '{print $1}', 'f']],
    [`echo '{MY NAME}'`, { 'MY NAME': '' }, ['echo', '']],
  ])('%s', (text, items, words) => {
    expect(filled(text, items)).toEqual(words);
  });

  it('says what is missing', () => {
    expect(filled('a {B} {C} {B}', {})).toEqual({ missing: ['B', 'C'] });
  });

  it.each(['', '   ', `a 'b`, 'a {MY NAME}', 'a {b', 'a b}', 'a {}'])('refuses %j', (text) => {
    expect(parseTemplate(text)).toHaveProperty('wrong');
  });
});
