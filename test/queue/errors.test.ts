import { describe, expect, it } from 'vitest';
import { isQueueError, QueueError, reasonOf } from '../../src/queue/errors.ts';
import { systemError } from '../support/faulty-files.ts';

describe('QueueError', () => {
  it('has a code, a sentence, a hint and a cause', () => {
    const cause = new Error('why');
    const error = new QueueError('locked', 'q: somebody works on it', { cause });
    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe('QueueError');
    expect(error.code).toBe('locked');
    expect(error.message).toBe('q: somebody works on it');
    expect(error.hint).toMatch(/try again/);
    expect(error.cause).toBe(cause);
  });

  it('is told apart by its code', () => {
    const error = new QueueError('exists', 'x');
    expect(isQueueError(error)).toBe(true);
    expect(isQueueError(error, 'locked', 'exists')).toBe(true);
    expect(isQueueError(error, 'locked')).toBe(false);
    expect(isQueueError(systemError('EEXIST', 'mkdir'))).toBe(false);
    expect(isQueueError(undefined)).toBe(false);
  });
});

describe('reasonOf', () => {
  it.each([
    [systemError('ENOSPC', 'write'), 'no space left on the disk'],
    [systemError('EIO', 'fsync'), 'the disk reports an input/output error'],
    [systemError('EWEIRD', 'read', 'x'), "EWEIRD: made by a test, read 'x'"],
    [new Error('plain'), 'plain'],
    [new QueueError('locked', 'our own sentence'), 'our own sentence'],
    ['a string', 'a string'],
    [undefined, 'undefined'],
  ])('of %s is %s', (error, expected) => {
    expect(reasonOf(error)).toBe(expected);
  });

  it.each([
    ...[
      'E2BIG',
      'EACCES',
      'EAGAIN',
      'EBADF',
      'EDQUOT',
      'EEXIST',
      'EFBIG',
      'EINVAL',
      'EIO',
      'EISDIR',
      'ELOOP',
    ],
    ...['EMFILE', 'ENAMETOOLONG', 'ENFILE', 'ENOENT', 'ENOEXEC', 'ENOLCK', 'ENOMEM', 'ENOSPC', 'ENOTDIR'],
    ...['ENOTEMPTY', 'ENXIO', 'EPERM', 'EPIPE', 'EROFS', 'ESTALE', 'ETXTBSY', 'EXDEV'],
  ])('of %s is plain English', (code) => {
    expect(reasonOf(systemError(code, 'open', '/x'))).toMatch(/^[a-z][^A-Z:]+$/);
  });
});
