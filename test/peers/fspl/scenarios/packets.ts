// Packets as others may write them: damaged, unusual, old.
import { array, byteArray, integer, map, metadata, packet, text, wrap } from '../packet.ts';
import type { Scenario } from '../scenario.ts';

const seq = [text('seq'), integer(1)];
const ctime = [text('ctime'), array(2), integer(100), integer(5)];
const body = [text('params'), array(1), byteArray('hi'), text('env'), array(0)];
const command = [text('cmd_type'), map(1), text('Command'), map(2), ...body];
const meta = (...parts: readonly Uint8Array[]) => wrap(Buffer.concat(parts));
const command1 = (param: Uint8Array) =>
  meta(
    map(3),
    ...seq,
    ...ctime,
    text('cmd_type'),
    map(1),
    text('Command'),
    map(2),
    ...[text('params'), array(1), param, text('env'), array(0)],
  );

/** Each file is shown, and run, on its own. */
const eachFile = (name: string, files: Readonly<Record<string, Uint8Array>>): Scenario => ({
  name,
  files,
  script: `
for file in *; do
  echo "--- $file"; tell fspl stdin-info <"$file"; tell fspl stdin-payload <"$file"
  tell fspl stdin-process echo --allow-job-params <"$file"
done; rm *`,
});

const good = packet({ seq: 1, seconds: 100, payload: 'payload' });
const changed = (at: number, byte: number) => {
  const bytes = Buffer.from(good);
  bytes.writeUInt8(byte, at);
  return bytes;
};

export const packets: readonly Scenario[] = [
  eachFile('packets: damaged prefix', {
    empty: Buffer.alloc(0),
    'one byte': good.subarray(0, 1),
    '29 bytes': good.subarray(0, 29),
    'tag changed': changed(0, 0x2b),
    'version changed': changed(13, 2),
    'length changed': changed(21, 1),
    'metadata checksum changed': changed(25, 0),
    'prefix checksum changed': changed(29, 0),
    'metadata changed': changed(32, 0x74),
    'prefix only': good.subarray(0, 30),
    'metadata cut': good.subarray(0, 50),
    'payload missing': good.subarray(0, good.length - 7),
  }),
  eachFile('packets: metadata that is read although it is unusual', {
    'keys in another order': meta(map(3), ...command, ...ctime, ...seq),
    'a key more': meta(map(4), ...seq, text('more'), array(2), integer(1), text('x'), ...ctime, ...command),
    'bytes after the map': meta(map(3), ...seq, ...ctime, ...command, Buffer.from('junk')),
    'a long form of 1': meta(map(3), text('seq'), Buffer.from([0xcd, 0, 1]), ...ctime, ...command),
    'a signed form of 1': meta(map(3), text('seq'), Buffer.from([0xd1, 0, 1]), ...ctime, ...command),
    'a long map': meta(Buffer.from([0xde, 0, 3]), ...seq, ...ctime, ...command),
    'a long string': meta(
      map(3),
      Buffer.from([0xd9, 3]),
      Buffer.from('seq'),
      integer(1),
      ...ctime,
      ...command,
    ),
    'a long array': command1(Buffer.from([0xdc, 0, 2, 0x68, 0x69])),
  }),
  eachFile('packets: metadata that is refused', {
    empty: meta(),
    'not a map': meta(integer(5)),
    'no seq': meta(map(2), ...ctime, ...command),
    'no ctime': meta(map(2), ...seq, ...command),
    'no cmd_type': meta(map(2), ...seq, ...ctime),
    'seq twice': meta(map(4), ...seq, ...seq, ...ctime, ...command),
    'seq negative': meta(map(3), text('seq'), integer(-1), ...ctime, ...command),
    'seq a string': meta(map(3), text('seq'), text('1'), ...ctime, ...command),
    'seq nil': meta(map(3), text('seq'), Buffer.from([0xc0]), ...ctime, ...command),
    'cut short': meta(map(3), ...seq, ...ctime),
    'reserved byte': meta(map(3), text('seq'), Buffer.from([0xc1]), ...ctime, ...command),
  }),
  eachFile('packets: times, kinds and parameters that are refused', {
    'ctime of one': meta(map(3), ...seq, text('ctime'), array(1), integer(5), ...command),
    'ctime of three': meta(
      map(3),
      ...seq,
      text('ctime'),
      array(3),
      integer(5),
      integer(5),
      integer(5),
      ...command,
    ),
    'ctime too large': meta(
      map(3),
      ...seq,
      text('ctime'),
      array(2),
      integer(2n ** 63n),
      integer(5),
      ...command,
    ),
    'nanoseconds too large': meta(
      map(3),
      ...seq,
      text('ctime'),
      array(2),
      integer(5),
      integer(2n ** 32n),
      ...command,
    ),
    'nanoseconds negative': meta(
      map(3),
      ...seq,
      text('ctime'),
      array(2),
      integer(5),
      integer(-1),
      ...command,
    ),
    'unknown kind': meta(map(3), ...seq, ...ctime, text('cmd_type'), text('Other')),
    'kind in lower case': meta(map(3), ...seq, ...ctime, text('cmd_type'), text('nop')),
    'command without a body': meta(map(3), ...seq, ...ctime, text('cmd_type'), text('Command')),
    'no env': meta(
      ...[map(3), ...seq, ...ctime, text('cmd_type'), map(1), text('Command'), map(1)],
      ...[text('params'), array(0)],
    ),
    'a parameter that is a string': command1(text('hi')),
    'a parameter of large numbers': command1(Buffer.concat([array(1), integer(300)])),
    'a parameter of negative numbers': command1(Buffer.concat([array(1), integer(-1)])),
  }),
  {
    name: 'packets: a zero byte in a parameter or a variable cannot be passed on',
    files: {
      p: packet({ seq: 1, seconds: 100, kind: { params: ['a\0b'], env: [] } }),
      e: packet({ seq: 2, seconds: 100, kind: { params: [], env: [['A', 'a\0b']] } }),
    },
    script: `
fspl stdin-info <p | grep -a PARAM; fspl stdin-info <e | grep -a SET
tell fspl stdin-process --allow-job-params echo <p; tell fspl stdin-process echo <e`,
  },
  {
    name: 'packets: one variable twice',
    files: {
      e: packet({
        ...{ seq: 2, seconds: 100 },
        kind: {
          params: [],
          env: [
            ['A', 'x'],
            ['B', '1'],
            ['A', 'y'],
            ['', 'z'],
          ],
        },
      }),
    },
    script: 'fspl stdin-info <e; fspl stdin-process env <e | grep FSPL_SET | sort',
  },
  {
    name: 'packets: many parameters and variables',
    files: {
      p: packet({
        ...{ seq: 2, seconds: 100 },
        kind: {
          params: Array.from({ length: 400 }, (_, n) => `p${n}`),
          env: Array.from({ length: 50 }, (_, n) => [`N${n}`, `${n}`] as const),
        },
      }),
    },
    script: 'fspl stdin-info <p; fspl stdin-process --allow-job-params echo <p',
  },
  {
    name: 'packets: times near and far',
    files: Object.fromEntries(
      [
        ...['0', '1', '-1', '86399', '951782400', '4102444800', '-5000000000', '-62135596801'],
        ...['-62167219200', '-62167219201', '253402300799', '253402300800', '3600000000000', '8210266876799'],
      ].map((seconds) => [seconds, packet({ seq: 1, seconds: BigInt(seconds) })]),
    ),
    script: `
for file in ./*; do
  fspl stdin-info <$file; fspl stdin-process env <$file | grep FSPL_CTIME | sort
done; rm ./*`,
  },
  {
    name: 'packets: nanoseconds',
    files: Object.fromEntries(
      [0, 1, 255, 65_536, 999_999_999].map((n) => [`n${n}`, packet({ seq: 1, seconds: -7, nanoseconds: n })]),
    ),
    script: 'for file in *; do fspl stdin-info <$file; done; rm *',
  },
  {
    name: 'packets: local time in other zones',
    files: Object.fromEntries(
      [0, 1_616_893_199, 1_616_893_200, 1_635_641_999, 1_635_642_000].map((n) => [
        `t${n}`,
        packet({ seq: 1, seconds: n }),
      ]),
    ),
    script: `
for zone in UTC Europe/Berlin America/St_Johns Pacific/Chatham Asia/Tokyo America/Sao_Paulo; do
  for file in t*; do echo "$zone $(TZ=$zone fspl stdin-info <$file | tail -1)"; done
done; rm t*`,
  },
  {
    name: 'packets: forms of TZ',
    files: { p: packet({ seq: 1, seconds: 1_700_000_000 }) },
    script: `
for zone in '' UTC0 :Asia/Tokyo No/Where; do
  echo "$zone: $(TZ=$zone fspl stdin-info <p | tail -1)"
done; rm p`,
  },
  {
    name: 'packets: old ones, checked in',
    needs: ['fixtures'],
    script: `
for file in "$FIXTURES"/filespooler/*.fspl; do
  case $file in *huge*) continue;; esac
  echo "--- $(basename "$file")"
  tell fspl stdin-info <"$file"
  fspl stdin-payload <"$file" 2>/dev/null | cksum
  tell fspl stdin-process wc --allow-job-params -- -c <"$file" >out 2>/dev/null
done; rm out`,
  },
  {
    name: 'packets: an old queue, checked in',
    warns: 'that one file is no packet',
    needs: ['fixtures'],
    script: `
cp -r "$FIXTURES/fspl-queue" q; chmod -R u+w q; touch q/nextseq.lock
tell fspl queue-ls -q q; tell fspl queue-get-next -q q
for n in 1 2 3 5; do tell fspl queue-info -q q -j $n; tell fspl queue-payload -q q -j $n; done
tell fspl queue-process -q q --on-error leave sh -- -c 'echo "ran $FSPL_SEQ"; cat'; left; nextseq`,
  },
  {
    name: 'packets: two with the same header differ in their payload only',
    files: {
      a: wrap(metadata({ seq: 1, seconds: 1 })),
      b: packet({ seq: 1, seconds: 1, payload: '*FILESPOOLER' }),
    },
    script: 'fspl stdin-payload <a | wc -c; fspl stdin-payload <b; fspl stdin-info <a; fspl stdin-info <b',
  },
];
