import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type MonitorOptions, runMonitor } from '../../src/monitor/monitor.ts';
import { realMachine } from '../../src/os/real/index.ts';
import { makeRoot, type TestRoot, unitText } from '../support/roots.ts';
import { eventually, useTemporary } from '../support/temporary.ts';

const temporary = useTemporary();

const JOBS = [
  `job say :: sh -c 'printf "%s\\n" "$1"' sh {WORDS}`,
  `job end :: sh -c 'exit "$1"' sh {CODE}`,
  `job kill :: sh -c 'kill -s "$1" $$' sh {SIGNAL}`,
  'job sleep :: sleep {SECONDS}',
  'timeout sleep :: 200ms',
  'job wait :: sleep 1000',
  'job nothing :: /no/such/program',
];

const root = (config: readonly string[] = JOBS) => makeRoot(temporary.path('root'), config);
const once = (root: TestRoot, options: MonitorOptions = {}) =>
  runMonitor(realMachine, root.path, { once: true, ...options });
const put = (root: TestRoot, name: string, items: Record<string, string>, place = 'wait-q') =>
  root.put(place, name, unitText(items));

/** A Monitor that goes on; ended by a message, or by the signal that is returned. */
function live(root: TestRoot) {
  const stop = new AbortController();
  const ended = runMonitor(realMachine, root.path, { stop: stop.signal });
  const say = (line: string) => appendFileSync(join(root.path, 'monitor_reads'), `${line}\n`);
  const said = (pattern: RegExp) => eventually(() => expect(root.said()).toMatch(pattern));
  return { stop, ended, say, said };
}

describe('the Monitor', () => {
  it('puts each unit of work where it belongs', async () => {
    const jobs = await root();
    put(jobs, 'well', { JOB: 'say', WORDS: 'hello; $(false) "x"' });
    put(jobs, 'seven', { JOB: 'end', CODE: '7' });
    put(jobs, 'killed', { JOB: 'kill', SIGNAL: 'KILL' });
    put(jobs, 'slow', { JOB: 'sleep', SECONDS: '1000' });
    put(jobs, 'not there', { JOB: 'nothing' });
    put(jobs, 'no such type', { JOB: 'unknown' });
    put(jobs, 'lacking', { JOB: 'say' });
    jobs.put('wait-q', 'junk', 'hello');
    expect(await once(jobs)).toEqual({ done: 1, error: 1, fail: 3 });
    expect(jobs.names('done-q')).toEqual(['well']);
    expect(jobs.read('done-q', 'well')).toMatch(
      /done: exit code 0 .*\n\n==== JOB LOG\n\nhello; \$\(false\) "x"\n$/,
    );
    expect(jobs.names('error-q')).toEqual(['seven']);
    expect(jobs.read('error-q', 'seven')).toMatch(/^error: exit code 7 /m);
    expect(jobs.names('fail-q')).toEqual(['killed', 'not there', 'slow']);
    expect(jobs.read('fail-q', 'killed')).toMatch(/^fail: killed by signal 9 /m);
    expect(jobs.read('fail-q', 'slow')).toMatch(/^fail: it ran longer than 0.2 s/m);
    expect(jobs.read('fail-q', 'not there')).toMatch(
      /^fail: cannot start \/no\/such\/program: no such file/m,
    );
    expect(jobs.names('trash')).toEqual(['junk', 'lacking', 'no such type']);
    expect(jobs.said()).toMatch(
      /Z lacking: it lacks what a job of type say needs: WORDS ::; it is in .*trash\/lacking\n/,
    );
    expect(jobs.said()).toMatch(/Z no such type: there is no job type "unknown"; there are: say, end/);
    expect(jobs.names('wait-q').concat(jobs.names('currently-executing'))).toEqual([]);
  });

  it('serves priority-q first, and each in the order of its timestamps', async () => {
    const jobs = await root();
    for (const [name, seconds] of [
      ['b', 20],
      ['a', 10],
      ['c', 30],
    ] as const) {
      put(jobs, name, { JOB: 'end', CODE: '0' });
      utimesSync(join(jobs.path, 'wait-q', name), seconds, seconds);
    }
    jobs.put('wait-q', 'stamped', `timestamp: 5 enqueued\n${unitText({ JOB: 'end', CODE: '0' })}`);
    put(jobs, 'urgent', { JOB: 'end', CODE: '0' }, 'priority-q');
    const order: string[] = [];
    await once(jobs, {
      onSaid: (sentence) => void order.push(...(/^(\S+): started/.exec(sentence)?.slice(1) ?? [])),
    });
    expect(order).toEqual(['urgent', 'stamped', 'a', 'b', 'c']);
    const stamps = ['a', 'b', 'c'].map((name) =>
      /^timestamp: (\d+)(-\d+)? enqueued/.exec(jobs.read('done-q', name)),
    );
    const [first, second, third] = stamps.map((stamp) => stamp?.[2]);
    expect([second, third].every((ordinal) => ordinal !== first)).toBe(true);
  });

  it('gives the job its items and the path of its file', async () => {
    const jobs = await root(['job env :: env']);
    put(jobs, 'a', { 'my item': 'x y', SITE: 'www' });
    await once(jobs);
    const text = jobs.read('done-q', 'a');
    expect(text).toContain('\nUOW_my_item=x y\n');
    expect(text).toContain('\nUOW_SITE=www\n');
    expect(text).toContain(`\nUOW_FILE=${jobs.path}/currently-executing/a\n`);
  });

  it('keeps output byte for byte, and takes names of any kind', async () => {
    const jobs = await root([String.raw`job bytes :: printf '\033[31mred\033[0m\377\r\nend'`]);
    const name = 'two\nlines and spaces \u{1f600}';
    put(jobs, name, {});
    await once(jobs);
    const bytes = readFileSync(join(jobs.path, 'done-q', name));
    expect(bytes.subarray(-19).toString('latin1')).toBe('\n\x1b[31mred\x1b[0m\xff\r\nend');
    expect(jobs.said()).toContain('two\\nlines and spaces');
    const raw = Buffer.concat([Buffer.from(`${jobs.path}/wait-q/`), Buffer.from([0x61, 0xff])]);
    writeFileSync(raw, unitText({}));
    await once(jobs);
    const names = readdirSync(join(jobs.path, 'done-q'), { encoding: 'buffer' });
    expect(names.some((bytes) => bytes.equals(Buffer.from([0x61, 0xff])))).toBe(true);
  });

  it('runs several at once when told to', async () => {
    const jobs = await root([
      'jobs at once :: 2',
      `job meet :: sh -c 'touch "$1"; until [ -e "$2" ]; do sleep 0.01; done' sh {MINE} {OTHER}`,
    ]);
    const path = (name: string) => temporary.path(name);
    put(jobs, 'a', { MINE: path('a'), OTHER: path('b') });
    put(jobs, 'b', { MINE: path('b'), OTHER: path('a') });
    expect(await once(jobs)).toMatchObject({ done: 2 });
  });

  it('throws nothing away while no job type is configured', async () => {
    const jobs = await root([]);
    put(jobs, 'a', { JOB: 'x' });
    await once(jobs);
    expect(jobs.names('wait-q')).toEqual(['a']);
    expect(jobs.said()).toContain('no job type is configured');
  });

  it('moves links, pipes and spare READMEs to the trash, and leaves directories', async () => {
    const jobs = await root();
    symlinkSync('/etc/passwd', join(jobs.path, 'wait-q/link'));
    execFileSync('mkfifo', [join(jobs.path, 'priority-q/pipe')]);
    mkdirSync(join(jobs.path, 'wait-q/sub'));
    utimesSync(join(jobs.path, 'wait-q/README'), 5, 5);
    jobs.put('wait-q', 'readme.txt', 'newer');
    await once(jobs);
    expect(readdirSync(join(jobs.path, 'trash')).sort()).toEqual(['README', 'README.1', 'link', 'pipe']);
    expect(readdirSync(join(jobs.path, 'wait-q')).sort()).toEqual(['readme.txt', 'sub']);
    expect(jobs.said()).toContain('sub: it is a directory, and a queue has none');
  });

  it('moves what somebody has put into currently-executing where it belongs', async () => {
    const jobs = await root();
    put(jobs, 'raw', { JOB: 'end', CODE: '0' }, 'currently-executing');
    jobs.put('currently-executing', 'junk', 'hello');
    expect(await once(jobs)).toMatchObject({ done: 1 });
    expect(jobs.names('done-q')).toEqual(['raw']);
    expect(jobs.names('trash')).toEqual(['junk']);
  });

  it('runs again what a person moves back, and adds to its log', async () => {
    const jobs = await root();
    put(jobs, 'a', { JOB: 'say', WORDS: 'again' });
    await once(jobs);
    renameSync(join(jobs.path, 'done-q/a'), join(jobs.path, 'wait-q/a'));
    await once(jobs);
    expect(jobs.read('done-q', 'a')).toMatch(/again\nagain\n$/);
  });
});

describe('messages', () => {
  it('are obeyed in their order, answered, and gone', async () => {
    const jobs = await root();
    const { ended, say, said } = live(jobs);
    put(jobs, 'one', { JOB: 'wait' });
    await said(/one: started/);
    say('pause\nSTATUS');
    await said(/STATUS: one runs; nothing waits; paused/);
    put(jobs, 'two', { JOB: 'wait' });
    put(jobs, 'three', { JOB: 'end', CODE: '0' });
    say('KILL JOB');
    await said(/one: fail: ended by KILL JOB/);
    say('CANCEL two\nCANCEL two\nRETRY one\nRETRY nobody\nRETRY ../config.txt');
    await said(/CANCEL: two is in .*trash\/two(.|\n)*CANCEL: there is no two that waits/);
    await said(
      /RETRY: one waits again(.|\n)*RETRY: there is no nobody(.|\n)*RETRY: there is no ..\/config.txt/,
    );
    expect(jobs.names('done-q')).toEqual([]);
    say('RESUME');
    await said(/one: started(.|\n)*one: started/);
    say('kill job one');
    await said(/three: done/);
    say(`gibberish ${'x'.repeat(500)}\nHELP now`);
    await said(/there is no message "gibberish x{90}\.\.\."(.|\n)*"HELP now": HELP stands alone/);
    put(jobs, 'four', { JOB: 'wait' });
    await said(/four: started/);
    say('SHUTDOWN');
    expect(await ended).toEqual({ done: 1, error: 0, fail: 3 });
    expect(jobs.read('fail-q', 'four')).toMatch(/^fail: ended by SHUTDOWN/m);
    expect(readdirSync(jobs.path).filter((name) => name.startsWith('monitor_reads'))).toEqual([]);
  });

  it('FINISH lets what runs come to its end', async () => {
    const jobs = await root([`job until :: sh -c 'until [ -e "$1" ]; do sleep 0.01; done' sh {FILE}`]);
    const { ended, say, said } = live(jobs);
    put(jobs, 'a', { FILE: temporary.path('go') });
    await said(/a: started/);
    say('FINISH');
    await said(/FINISH: no more jobs are started; a goes on to its end/);
    put(jobs, 'b', { FILE: temporary.path('go') });
    writeFileSync(temporary.path('go'), '');
    expect(await ended).toMatchObject({ done: 1 });
    expect(jobs.names('wait-q')).toEqual(['b']);
  });

  it('that a dead Monitor has taken are read first', async () => {
    const jobs = await root();
    writeFileSync(join(jobs.path, 'monitor_reads.taken'), 'HELP\n');
    writeFileSync(join(jobs.path, 'monitor_reads'), 'CONFIG');
    await once(jobs);
    await once(jobs);
    expect(jobs.said()).toMatch(
      /HELP: SHUTDOWN: Stop now(.|\n)*CONFIG: job types: say, end, kill, sleep \(at most 0.2s\)/,
    );
  });

  it('in something that is no file are not read', async () => {
    const jobs = await root();
    execFileSync('mkfifo', [join(jobs.path, 'monitor_reads')]);
    await once(jobs);
    expect(jobs.said()).toContain('monitor_reads: it is no regular file, and not read');
  });
});

describe('the config', () => {
  it('that is damaged keeps the Monitor from starting', async () => {
    const jobs = await root([]);
    appendFileSync(join(jobs.path, 'config.txt'), 'job x\n');
    await expect(once(jobs)).rejects.toMatchObject({
      code: 'config-damaged',
      message: `${jobs.path}/config.txt, line 2: Expected \`NAME :: CONTENT\`, got "job x"`,
    });
  });

  it('is read anew when it changes, and stays as it was when it is damaged', async () => {
    const jobs = await root();
    const { ended, say, said } = live(jobs);
    const config = (text: string) => {
      writeFileSync(join(jobs.path, 'new'), text);
      renameSync(join(jobs.path, 'new'), join(jobs.path, 'config.txt'));
    };
    await said(/the Monitor starts/);
    config('quiet seconds :: 0\nslep seconds :: 4\n');
    await said(/config.txt, line 2: there is no setting `slep seconds`.*what was set before stays/);
    put(jobs, 'a', { JOB: 'say', WORDS: 'x' });
    await said(/a: done/);
    config('quiet seconds :: 0\njob only :: true\n');
    await said(/config.txt: read anew/);
    put(jobs, 'b', {});
    await said(/b: done/);
    say('FINISH');
    await ended;
  });
});

describe('one root', () => {
  it('has one Monitor: the second says so and leaves', async () => {
    const jobs = await root();
    const { ended, stop, said } = live(jobs);
    await said(/the Monitor starts/);
    await expect(once(jobs)).rejects.toMatchObject({
      code: 'locked',
      message: expect.stringContaining(`another Monitor works here (process ${process.pid} on `),
    });
    stop.abort();
    await ended;
    expect(jobs.said()).toContain('SHUTDOWN: no more jobs are started, and what runs is ended');
    await once(jobs);
  });

  it('must be one', async () => {
    mkdirSync(temporary.path('other'));
    await expect(runMonitor(realMachine, temporary.path('other'), { once: true })).rejects.toMatchObject({
      code: 'not-a-root',
    });
    expect(existsSync(temporary.path('other', 'monitor.lock'))).toBe(false);
  });

  it('goes on when a place is missing for a while', async () => {
    const jobs = await root();
    const { ended, say, said } = live(jobs);
    await said(/the Monitor starts/);
    renameSync(join(jobs.path, 'done-q'), join(jobs.path, 'elsewhere'));
    say('STATUS');
    await said(/something is in the way: .*done-q: no such file/);
    renameSync(join(jobs.path, 'elsewhere'), join(jobs.path, 'done-q'));
    put(jobs, 'a', { JOB: 'end', CODE: '0' });
    await said(/a: done/);
    say('FINISH');
    await ended;
  });
});
