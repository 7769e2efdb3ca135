// @ts-check
/**
 * Waits for a child of this process and writes down its peak memory.
 *
 *     sh -c 'COMMAND & exec node wait-for-memory.mjs $! FILE'
 *
 * Why so: the kernel tells a parent the peak of a child it has waited for (wait4, ru_maxrss), and nobody else; it
 * counts from the fork on, so a child of Node's begins with Node's own 45 MB. Here the shell forks, at 1 MB, and then
 * becomes Node without ceasing to be the parent. The number is the larger of the command and of what it waited
 * for itself. Reading /proc/PID/status instead comes too early or too late.
 *
 * The command and the start of Node run at the same time: not for measuring time in milliseconds.
 */

import { writeFileSync } from 'node:fs';
import koffi from 'koffi';

/** struct rusage: two timevals of 16 bytes, then ru_maxrss: kilobytes on Linux and FreeBSD, bytes on macOS. */
const RUSAGE_BYTES = 256;
const MAXRSS_OFFSET = 32;
const LIBRARIES = { linux: 'libc.so.6', freebsd: 'libc.so.7', darwin: 'libSystem.B.dylib' };

const [pid, file] = process.argv.slice(2);
if (pid === undefined || file === undefined) throw new Error('usage: wait-for-memory.mjs PID FILE');

const name = LIBRARIES[/** @type {keyof typeof LIBRARIES} */ (process.platform)];
const wait4 = koffi.load(name).func('wait4', 'int', ['int', 'uint8_t *', 'int', 'uint8_t *']);
const status = Buffer.alloc(4);
const usage = Buffer.alloc(RUSAGE_BYTES);
if (wait4(Number(pid), status, 0, usage) !== Number(pid)) throw new Error(`process ${pid} is not our child`);

const peak = Number(usage.readBigInt64LE(MAXRSS_OFFSET));
writeFileSync(file, JSON.stringify({ peakKilobytes: process.platform === 'darwin' ? peak / 1024 : peak }));
// A wait status of 0 is an exit with code 0; all else is failure.
if (status.readInt32LE() !== 0) process.exitCode = 1;
