/**
 * Everything that can go wrong in a way a caller may want to tell apart. Each error is a sentence for people, a
 * code for programs and, where there is one, a hint: what to do about it.
 */

export type ErrorCode = keyof typeof HINTS;

/** What to do, for each code; '' where the sentence says it all. */
const HINTS = {
  locked: 'Another process is working on it; try again when that has ended.',
  'not-a-queue': 'Make a queue there with `intray init DIR` or `fspl queue-init -q DIR`.',
  'not-a-root': 'Make one there with `intray monitor init ROOT`.',
  'not-a-unit': 'docs/monitor.md shows what a unit of work looks like.',
  'config-damaged': 'Correct these lines; a line that begins with # says nothing.',
  'append-only': 'It was made with --append-only: jobs can be added to it and listed, not processed.',
  exists: 'Choose another name, or remove what is there.',
  'job-not-found': '`intray ls DIR`, or `fspl queue-ls -q DIR`, lists the jobs that are there.',
  'job-ambiguous': 'Give more of its name, or the name of its file.',
  'job-running': 'Wait until it has ended, or stop its worker.',
  'not-possible': '',
  'duplicate-sequence':
    'Two senders must not share a queue without sharing a sequence file; remove one of the two files.',
  'sequence-damaged': 'Write the right number into it with `fspl queue-set-next` or `prepare-set-next`.',
  'lock-missing': '',
  'number-unknown': 'Name the sequence file of the sender (option sequenceFile), or remove that file.',
  'packet-damaged': 'Ask the sender to send it again.',
  'packet-empty': 'The program before it in the pipe wrote nothing: see whether it failed.',
  'packet-incomplete': 'See why the program before it in the pipe ended early, and add the job again.',
  'not-written': 'Nothing was queued.',
  'not-durable': 'The job may be there, but a power cut could take it away.',
  'command-not-started': 'Check its name, its permissions, and its first line if it is a script.',
  'command-failed': '',
  'decoder-failed': 'Run the decoder by hand on the file to see why.',
  'no-lanes': '`intray init DIR` gives it what is missing.',
  'unordered-jobs': 'Work them first; then the order can begin.',
  'settings-damaged': 'Correct the file, or remove it: then the queue is worked as the original does.',
  fenced: 'Its jobs are run by others now. See why it was silent: a stopped process, or the network.',
  'bad-setting': '',
  'not-reachable': 'See whether they run and can be reached from here; what they have confirmed is not lost.',
  'not-delivered': 'It stays here; send it again when that has been seen to.',
  'not-connected': 'No job is lost: each is where it was, or has arrived.',
  'not-a-file': '',
  'output-failed': '',
  stopped: '',
} as const satisfies Record<string, string>;

export class QueueError extends Error {
  override readonly name = 'QueueError';
  readonly code: ErrorCode;
  /** What to do about it, or '' . */
  readonly hint: string;

  /** A hint of its own takes the place of the code's. */
  constructor(code: ErrorCode, message: string, options: { cause?: unknown; hint?: string } = {}) {
    super(message, options);
    this.code = code;
    this.hint = options.hint ?? HINTS[code];
  }
}

/** True when `error` is ours, with one of these codes. */
export function isQueueError(error: unknown, ...codes: ErrorCode[]): error is QueueError {
  return error instanceof QueueError && (codes.length === 0 || codes.includes(error.code));
}

/** The reason of an unknown error in a few words: an errno in plain English where there is one. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as { code?: unknown };
  return ERRNO_SENTENCES[String(code)] ?? error.message;
}

const ERRNO_SENTENCES: Record<string, string> = {
  E2BIG: 'its arguments and environment are too long for the system',
  EACCES: 'permission denied',
  EAGAIN: 'the system is out of processes or memory',
  EBADF: 'the descriptor is closed',
  EDQUOT: 'the disk quota is used up',
  EEXIST: 'it exists already',
  EFBIG: 'the file would be too large',
  EINVAL: 'the system does not accept it',
  EIO: 'the disk reports an input/output error',
  EISDIR: 'it is a directory',
  ELOOP: 'too many symbolic links',
  EMFILE: 'too many open files in this process',
  ENAMETOOLONG: 'the name is too long',
  ENFILE: 'too many open files in the system',
  ENOENT: 'no such file or directory',
  ENOEXEC: 'it is neither a program nor a script with a #! line',
  ENOLCK: 'the file system has no locks left',
  ENOMEM: 'out of memory',
  ENOSPC: 'no space left on the disk',
  ENOTDIR: 'part of the path is not a directory',
  ENOTEMPTY: 'the directory is not empty',
  ENXIO: 'nobody has the other end open',
  EPERM: 'the system does not permit it',
  EPIPE: 'the reader of the pipe is gone',
  EROFS: 'the file system is read-only',
  ESTALE: 'the file was replaced on the server',
  ETXTBSY: 'the program is being written to',
  EXDEV: 'it is on another file system',
};
