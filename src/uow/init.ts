/**
 * Making a root: its directories, each with a README for people with `ls` and `cat`, and a config to begin with. What is
 * there already stays as it is.
 */

import { encodeBytes } from '../os/bytes.ts';
import { makeDirectory } from '../os/make-directory.ts';
import type { Machine } from '../os/ports.ts';
import { QueueError } from '../queue/errors.ts';
import { publish, syncDirectory } from '../queue/publish.ts';
import { DEFAULT_CONFIG, PLACES, type Place } from './config.ts';
import { configPath, join, problemsText, readConfig, rootAt } from './root.ts';
import { listQueue } from './unit-files.ts';

const READMES: Readonly<Record<Place, string>> = {
  'wait-q': `Units of work that wait for their turn, the oldest first.

Put one here to have it run: any text file like

    ==== UNIT OF WORK
    JOB :: deploy
    SITE :: www.example.org

Write it elsewhere on this disk and mv it here, or write it here: the Monitor waits until it does not change any more.
It adds a timestamp, a STATUS and a JOB LOG. To take one back, mv it away.
`,
  'priority-q': `Like wait-q, but first: nothing of wait-q starts while anything is here.
`,
  'currently-executing': `What runs now. Its output is added to its end: tail -f shows it as it comes.

Leave the files here alone. To end a job: echo KILL JOB >> monitor_reads
`,
  'done-q': `What has been done: its job ended with exit code 0. cat shows what it said, in colour.
`,
  'error-q': `What ran to its end, and ended with another exit code than 0.

To run it again, mv it into wait-q.
`,
  'fail-q': `What did not run to its end: it was killed, took too long, could not be started, or the machine went down.
Nobody knows how far it came, so see for yourself; the STATUS line says why it is here.

To run it again, mv it into wait-q.
`,
  trash: `What was found in a queue and is no unit of work; monitor_says says of each why. Nothing here is used any more.
`,
  archive: `For what you want to keep. The Monitor never looks here.
`,
};

const CONFIG = `# How this simple-job-q works. The Monitor notices when this file changes; where it does not understand it, it says so in
# monitor_says and goes on as before. Lines that begin with # say nothing.

# A type of job and its command. {NAME} stands for what the unit of work says under NAME, as one argument, whatever it holds.
# There is no shell; quotes keep spaces together; {{ and }} are braces.
#
# job deploy :: ansible-playbook -i {INVENTORY} {PLAYBOOK}
# timeout deploy :: 30m

# How long the Monitor sleeps at most, and how long a new file must not have changed before it is taken as complete.
#
# sleep seconds :: 15
# quiet seconds :: 2

# How many jobs may run at once.
#
# jobs at once :: 1

# Where the status is posted: as text, as HTML with a page for each unit of work, and how many of each queue are shown.
#
# status text :: status.txt
# status html :: status.html
# status keeps :: 200

# What files and directories are called.
#
# messages in :: monitor_reads
# messages out :: monitor_says
# name wait-q :: wait-q
`;

export type RootMade = {
  /** Names that were made, in their order; none when all was there. */
  readonly made: readonly string[];
};

/** Makes a root, or adds what is missing to one. Its parent must exist. Throws `exists` for something else. */
export async function initRoot(machine: Machine, path: string): Promise<RootMade> {
  const { files } = machine;
  const isNew = await makeDirectory(machine, path);
  const entries = isNew ? [] : (await files.readdir(path)).map(({ name }) => name);
  const read = await readConfig(machine, path);
  if ('problems' in read) throw new QueueError('config-damaged', problemsText(path, read.problems));
  const { names } = read.config;
  if (!isNew && entries.length > 0 && !PLACES.some((place) => entries.includes(names[place]))) {
    throw new QueueError('exists', `${path}: it is there already, is no simple-job-q, and is not empty`);
  }
  const root = rootAt(path, read.config);
  const made: string[] = [];
  for (const place of PLACES) {
    const directory = root.places[place];
    if (await makeDirectory(machine, directory)) made.push(names[place]);
    if ((await listQueue(machine, directory)).readmes.length === 0) {
      await putText(machine, directory, 'README', READMES[place]);
    }
  }
  if (!entries.includes('config.txt') && read.config === DEFAULT_CONFIG) {
    await putText(machine, path, configPath(path).slice(join(path, '').length), CONFIG);
    made.push('config.txt');
  }
  await syncDirectory(files, path, path);
  return { made };
}

async function putText(machine: Machine, directory: string, name: string, text: string): Promise<void> {
  const bytes = encodeBytes(text);
  await publish(machine.files, {
    directory,
    temporaryName: `.${name}.${machine.random.uuid()}.temp`,
    name,
    durability: 'power-safe',
    write: async (target) => {
      await machine.files.write(target, bytes);
      return bytes.length;
    },
  });
}
