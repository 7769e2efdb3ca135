// Sequence files: what is read, what is written, and the lock beside them.
import type { Scenario } from '../scenario.ts';

/** Reads a seqfile of each of these contents (printf forms), takes a number from it and shows what became of it. */
const eachContent = (contents: readonly string[]) => `
for content in ${contents.map((content) => `'${content}'`).join(' ')}; do
  rm -f s s.lock
  printf "$content" >s
  echo "--- $content"
  tell fspl prepare-get-next -s s
  tell fspl prepare-nop -s s >packet
  od -c s | head -3
  [ -s packet ] && fspl stdin-info <packet | head -1
done
rm -f packet`;

export const seqfile: readonly Scenario[] = [
  {
    name: 'seqfile: made by the first prepare-get-next',
    script: 'tell fspl prepare-get-next -s s; tell fspl prepare-get-next -s s',
  },
  {
    name: 'seqfile: made by the first prepare',
    script: 'tell fspl prepare -s s >a; tell fspl prepare -s s >b; tell fspl prepare-get-next -s s',
  },
  {
    name: 'seqfile: made by prepare-set-next',
    script:
      'tell fspl prepare-set-next -s s 5; tell fspl prepare-get-next -s s; tell fspl prepare-nop -s s >a',
  },
  {
    name: 'seqfile: forms of the number to set',
    script: `
for number in 7 +8 009 0 18446744073709551615 4294967296 9007199254740993; do
  tell fspl prepare-set-next -s s "$number"; cat s; fspl prepare-get-next -s s
done`,
  },
  {
    name: 'seqfile: readable contents',
    script: eachContent([String.raw`5\n`, '5', String.raw`5\n\n`, String.raw` 5\n`, String.raw`5 \n`]),
  },
  {
    name: 'seqfile: more readable contents',
    script: eachContent([
      ...[String.raw`+7\n`, String.raw`007\n`, String.raw`5\r\n`, String.raw`5\n6\n`, String.raw`\t5\t\n`],
      String.raw`0\n`,
    ]),
  },
  {
    name: 'seqfile: contents that are no number',
    script: eachContent(['', String.raw`\n`, String.raw`\n5\n`, String.raw`abc\n`, String.raw`1.5\n`]),
  },
  {
    name: 'seqfile: more contents that are no number',
    script: eachContent([String.raw`0x10\n`, String.raw`5\tx\n`, String.raw`5\0\n`, String.raw`\377\n`]),
  },
  {
    name: 'seqfile: negative numbers are refused',
    script: `
for content in -1 -0 - + ++5; do
  echo "$content" >s
  tell fspl prepare-get-next -s s
  tell fspl prepare-nop -s s
  cat s
done`,
  },
  {
    name: 'seqfile: the largest number is used, and then it starts at 0',
    script: `
echo 18446744073709551615 >s
tell fspl prepare-get-next -s s
for n in 1 2 3; do fspl prepare -s s | fspl stdin-info | head -1; cat s; done`,
  },
  {
    name: 'seqfile: a number too large',
    script: `
for number in 18446744073709551616 99999999999999999999999999; do
  echo $number >s; tell fspl prepare-get-next -s s; tell fspl prepare -s s; cat s
done`,
  },
  {
    name: 'seqfile: prepare-set-next does not mend a damaged file',
    script: `
echo garbage >s; tell fspl prepare-set-next -s s 3; cat s
: >s; tell fspl prepare-set-next -s s 4; cat s`,
  },
  {
    name: 'seqfile: a dash is no file for prepare',
    script: `
tell fspl prepare -s - >a; tell fspl prepare-nop -s - >b; tell fspl prepare-fail -s - >c
tell fspl prepare --seqfile=- >d`,
  },
  {
    name: 'seqfile: a dash is a file name for prepare-get-next and prepare-set-next',
    script:
      'tell fspl prepare-get-next -s -; tell fspl prepare-set-next -s - 5; tell fspl prepare-get-next -s -',
  },
  {
    name: 'seqfile: in a directory that is not there',
    script:
      'tell fspl prepare -s no/s; tell fspl prepare-get-next -s no/s; tell fspl prepare-set-next -s no/s 3',
  },
  {
    name: 'seqfile: is a directory',
    script:
      'mkdir s; tell fspl prepare -s s; tell fspl prepare-get-next -s s; tell fspl prepare-set-next -s s 2',
  },
  {
    name: 'seqfile: dots and blanks in its name',
    script: `mkdir 'a dir'; tell fspl prepare-nop -s 'a dir/my.seq file.x' >p; tell fspl prepare-nop -s ./.hidden >p2`,
  },
  {
    name: 'seqfile: mode of new files follows the umask',
    script: `
(umask 077; fspl prepare-nop -s a) >p
(umask 027; fspl prepare-nop -s b) >p
(umask 000; fspl prepare-nop -s c) >p
(umask 077; fspl prepare-get-next -s d)`,
  },
  {
    name: 'seqfile: each write makes it anew',
    script: `
echo 5 >s; chmod 600 s; fspl prepare-nop -s s >p
echo 5 >t; chmod 666 t; fspl prepare-get-next -s t
echo 5 >u; chmod 444 u; (umask 077; run fspl prepare-set-next -s u 9)`,
  },
  {
    name: 'seqfile: a symlink is replaced',
    script: `
echo 5 >real; ln -s real s; tell fspl prepare-nop -s s >p; cat real
ln -s nowhere t; tell fspl prepare-nop -s t >p`,
  },
  {
    name: 'seqfile: what is in the lock file does not matter',
    script: 'echo words >s.lock; chmod 600 s.lock; tell fspl prepare-nop -s s >p',
  },
  {
    name: 'seqfile: an old temporary file is overwritten',
    script: 'echo 1234567890123456 >s.temp; echo 7 >s; tell fspl prepare-nop -s s >p',
  },
  {
    name: 'seqfile: the lock or the temporary file is a directory',
    script: `
echo 5 >s; mkdir s.lock; tell fspl prepare-nop -s s
echo 6 >t; mkdir t.temp; tell fspl prepare-nop -s t; tell fspl prepare-set-next -s t 8`,
  },
  {
    name: 'seqfile: a held lock does not matter without a seqfile',
    script: `
echo 5 >s
tell flock s.lock fspl prepare-nop -s - >p
tell flock ./-.lock fspl prepare -s - >p2`,
  },
  {
    name: 'seqfile: the lock is released before the payload is read',
    script: `
mkfifo feed
fspl prepare -s s -i feed >first & first=$!
until_true grep -qs 2 s; until_true flock -n s.lock true
tell fspl prepare-nop -s s >second
echo payload >feed
wait $first; echo "first: exit $?"
rm feed; cat s`,
  },
  {
    name: 'seqfile: a directory that may not be written',
    needs: ['ordinary user'],
    script: `
mkdir closed; echo 5 >closed/s; chmod 555 closed
tell as_user fspl prepare-nop -s closed/s
touch closed/s.lock; chmod 444 closed/s.lock
tell as_user fspl prepare-get-next -s closed/s
chmod 666 closed/s.lock
tell as_user fspl prepare-get-next -s closed/s
tell as_user fspl prepare-nop -s closed/s
cat closed/s; chmod 755 closed`,
  },
];
