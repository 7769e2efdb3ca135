/** What the Monitor does about each message. */

import { formatSpan } from '../os/span.ts';
import { moveFile } from '../uow/move.ts';
import { isPaused, pause, resume } from '../uow/pause.ts';
import { INCOMING, join } from '../uow/root.ts';
import { isThere, listQueue } from '../uow/unit-files.ts';
import { MESSAGES, type Message } from './messages.ts';
import type { MonitorState } from './state.ts';

const SHOWN_NAMES = 10;

export async function obey(state: MonitorState, { keyword, name = '' }: Message): Promise<void> {
  const { says } = state;
  switch (keyword) {
    case 'SHUTDOWN':
      state.isFinishing = true;
      await says.say('SHUTDOWN: no more jobs are started, and what runs is ended');
      state.jobs.end('SHUTDOWN');
      return;
    case 'FINISH':
      state.isFinishing = true;
      return says.say(`FINISH: no more jobs are started${awaited(state)}`);
    case 'KILL JOB': {
      const ended = state.jobs.end('KILL JOB', name === '' ? undefined : name);
      return says.say(
        ended ? `KILL JOB: what runs is ended${name && `: ${name}`}` : 'KILL JOB: no such job runs',
      );
    }
    case 'PAUSE':
      await pause(state.machine, state.root);
      return says.say(`PAUSE: no more jobs are started${awaited(state)}`);
    case 'RESUME':
      return says.say(
        (await resume(state.machine, state.root))
          ? 'RESUME: jobs are started again'
          : 'RESUME: there was no pause',
      );
    case 'RETRY':
      return retry(state, name);
    case 'CANCEL':
      return cancel(state, name);
    case 'STATUS':
      return says.say(`STATUS: ${await statusSentence(state)}`);
    case 'CONFIG':
      return says.say(`CONFIG: ${configSentence(state)}`);
    case 'HELP':
      for (const message of MESSAGES) {
        const words = 'argument' in message ? `${message.keyword} ${message.argument}` : message.keyword;
        await says.say(`HELP: ${words}: ${message.says}`);
      }
  }
}

function awaited({ jobs }: MonitorState): string {
  return jobs.names.length === 0 ? '' : `; ${jobs.names.join(', ')} goes on to its end`;
}

async function retry({ machine, root, says }: MonitorState, name: string): Promise<void> {
  for (const place of ['fail-q', 'error-q'] as const) {
    const from = { directory: root.places[place], name };
    if (!isPlain(name) || !(await isThere(machine.files, join(from.directory, name)))) continue;
    const path = await moveFile(machine, from, root.places['wait-q']);
    if (path !== undefined) return says.say(`RETRY: ${name} waits again, in ${path}`);
  }
  await says.say(`RETRY: there is no ${name} in fail-q or error-q`);
}

async function cancel({ machine, root, says, jobs }: MonitorState, name: string): Promise<void> {
  if (jobs.names.includes(name)) return says.say(`CANCEL: ${name} runs; KILL JOB ends it`);
  for (const place of INCOMING) {
    const from = { directory: root.places[place], name };
    if (!isPlain(name) || !(await isThere(machine.files, join(from.directory, name)))) continue;
    const path = await moveFile(machine, from, root.places.trash);
    if (path !== undefined) return says.say(`CANCEL: ${name} is in ${path}`);
  }
  await says.say(`CANCEL: there is no ${name} that waits`);
}

/** A name in a directory, not a way to another one. */
function isPlain(name: string): boolean {
  return !name.includes('/') && !name.startsWith('.');
}

async function statusSentence(state: MonitorState): Promise<string> {
  const { machine, root, jobs } = state;
  const waiting: string[] = [];
  for (const place of INCOMING) waiting.push(...(await listQueue(machine, root.places[place])).units);
  const shown = waiting.slice(0, SHOWN_NAMES).join(', ');
  const more = waiting.length > SHOWN_NAMES ? ` and ${waiting.length - SHOWN_NAMES} more` : '';
  return [
    jobs.names.length === 0 ? 'nothing runs' : `${jobs.names.join(', ')} runs`,
    waiting.length === 0 ? 'nothing waits' : `${waiting.length} wait: ${shown}${more}`,
    ...((await isPaused(machine, root)) ? ['paused'] : []),
  ].join('; ');
}

function configSentence({ config }: MonitorState): string {
  const { jobs, sleepMs, quietMs, jobsAtOnce, statusText, statusHtml } = config.current;
  const types = Array.from(jobs.values(), ({ name, timeoutMs }) =>
    timeoutMs === undefined ? name : `${name} (at most ${formatSpan(timeoutMs)})`,
  );
  return [
    `job types: ${types.join(', ') || 'none'}`,
    `sleeps ${sleepMs / 1000} s`,
    `files are quiet after ${quietMs / 1000} s`,
    `jobs at once: ${jobsAtOnce}`,
    `status in ${[statusText, statusHtml].filter((path) => path !== undefined).join(', ') || 'no file'}`,
  ].join('; ');
}
