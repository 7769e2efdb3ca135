// The suite must be able to fail: programs that are wrong in one small point are found out.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runScript } from './harness.ts';
import { packet, readPacket } from './packet.ts';
import { type Program, real } from './programs.ts';

const directory = mkdtempSync(join(tmpdir(), 'intray-self-check-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** The real fspl behind a shell script that spoils something. `$REAL` is its path. */
function spoiled(name: string, script: string): Program {
  const path = join(directory, name);
  writeFileSync(path, `#!/bin/sh\nREAL='${real.command[0]}'\n${script}\n`, { mode: 0o755 });
  return { name, command: [path], absent: real.absent };
}

type Check = { readonly what: string; readonly spoil: string; readonly script: string };

const NEW_QUEUE = 'fspl queue-init -q q; fspl prepare -s s -- a | fspl queue-write -q q\n';

const checks: readonly Check[] = [
  {
    what: 'one byte of the output',
    spoil: '"$REAL" "$@" | sed s/filename/fileName/',
    script: `${NEW_QUEUE}fspl queue-ls -q q`,
  },
  { what: 'the exit status', spoil: '"$REAL" "$@" || exit 3', script: 'tell fspl queue-ls -q no' },
  {
    what: 'a word on stderr',
    spoil: 'echo psst >&2; exec "$REAL" "$@"',
    script: 'tell fspl queue-init -q q',
  },
  {
    what: 'the format of a time',
    spoil: `"$REAL" "$@" | sed 's/\\(RFC3339_UTC=.*\\)Z$/\\1+00:00/'`,
    script: 'fspl prepare -s - >p; fspl stdin-info <p',
  },
  {
    what: 'a time that is an hour wrong',
    spoil: `"$REAL" "$@" | sed 's/\\(LOCAL=.*\\)05:45$/\\104:45/'`,
    script: 'fspl prepare -s - >p; fspl stdin-info <p',
  },
  {
    what: 'nanoseconds with leading zeros',
    spoil: `"$REAL" "$@" | sed 's/NANOS=/&0/'`,
    script: 'fspl prepare -s - >p; fspl stdin-info <p',
  },
  {
    what: 'the form of a file name',
    spoil: String.raw`"$REAL" "$@"; for f in q/jobs/*-*; do mv "$f" "$(echo "$f" | sed 's/-4\(...-[89ab]\)/-5\1/')"; done`,
    script: NEW_QUEUE,
  },
  { what: 'the mode of a file', spoil: 'umask 077; exec "$REAL" "$@"', script: 'fspl queue-init -q q' },
  {
    what: 'a file left behind',
    spoil: 'touch s.extra; exec "$REAL" "$@"',
    script: 'fspl prepare-get-next -s s',
  },
  {
    what: 'a payload cut by one byte',
    spoil: '"$REAL" "$@" | head -c -1',
    script: 'echo payload | fspl prepare -s - -i - >p',
  },
  {
    what: 'a packet whose checksum is wrong',
    spoil: String.raw`"$REAL" "$@" >out; head -c 29 out; printf '\377'; tail -c +31 out; rm out`,
    script: 'fspl prepare-nop -s - >p',
  },
  {
    what: 'standard input of the command',
    spoil: 'exec "$REAL" "$@" </dev/null',
    script: 'echo x | fspl prepare -s - -i - >p; fspl stdin-payload <p',
  },
];

describe('the comparison', () => {
  it.for(checks)('sees $what', async ({ what, spoil, script }, context) => {
    if (real.absent !== undefined) context.skip(real.absent);
    const program = spoiled(what.replaceAll(' ', '-'), spoil);
    const good = await runScript({ script }, real);
    const bad = await runScript({ script }, program);
    expect(bad.outcome).not.toEqual(good.outcome);
    expect((await runScript({ script }, real)).outcome).toEqual(good.outcome);
  });
});

describe('packets made by hand', () => {
  const packets = [
    packet({ seq: 1, seconds: 0 }),
    packet({ seq: 18446744073709551615n, seconds: -9223372036854775808n, nanoseconds: 4294967295 }),
    packet({ seq: 300, seconds: -1000, kind: 'NOP', payload: 'x' }),
    packet({ seq: 70_000, seconds: 2 ** 40, kind: { params: ['a', 'é'], env: [['N', 'v']] } }),
  ];

  it('are read again', () => {
    expect(packets.map((bytes) => readPacket(bytes)?.seq)).toEqual([
      1n,
      18446744073709551615n,
      300n,
      70_000n,
    ]);
  });

  it('are not read with any byte of the prefix or the metadata changed', () => {
    for (const bytes of packets) {
      const headerBytes = 30 + Number(bytes.readBigUInt64BE(14));
      for (let at = 0; at < headerBytes; at += 1) {
        const changed = Buffer.from(bytes);
        changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
        expect(readPacket(changed)).toBeUndefined();
      }
    }
  });
});
