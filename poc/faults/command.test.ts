import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandError, parseCommand } from './command.ts';

const places = ['kivara', 'coast', 'amboro'];

void test('a command is a verb and a place, and a cut may say after how many bytes', () => {
  assert.deepEqual(parseCommand(' cut  amboro ', places), { verb: 'cut', place: 'amboro' });
  assert.deepEqual(parseCommand('cut amboro 5000', places), {
    verb: 'cut',
    place: 'amboro',
    after: 5000,
  });
  assert.deepEqual(parseCommand('kill-database coast', places), {
    verb: 'kill-database',
    place: 'coast',
  });
});

for (const line of [
  '',
  'dance',
  'cut',
  'cut nowhere',
  'heal amboro 5',
  'cut amboro -1',
  'cut amboro 1 2',
]) {
  void test(`a wrong command is refused with what to write: "${line}"`, () => {
    assert.throws(() => parseCommand(line, places), CommandError);
  });
}
