import { expect, test } from 'vitest';
import { parseCommand } from '../../../src/agents/command-line.ts';
import { BridgeError } from '../../../src/core/errors.ts';

test.each([
  ['./answer.sh', ['./answer.sh']],
  ['  node  bot.js --name "two words" ', ['node', 'bot.js', '--name', 'two words']],
  [`sh -c 'echo "$1" | wc'`, ['sh', '-c', 'echo "$1" | wc']],
  [String.raw`a\ b "c\"d" ''`, ['a b', 'c"d', '']],
  ['echo $HOME *.txt ; ls # no', ['echo', '$HOME', '*.txt', ';', 'ls', '#', 'no']],
])('%j is split as a shell would, and nothing is expanded', (text, words) => {
  expect(parseCommand(text)).toEqual(words);
});

test.each(['echo "open', "echo 'open", 'echo open\\'])('%j is refused: not closed', (text) => {
  expect(() => parseCommand(text)).toThrow(BridgeError);
  expect(() => parseCommand(text)).toThrow(`a quote in the command is not closed: ${text}`);
});

test.each(['', '   ', `''`, `"" arg`])('%j is refused: empty', (text) => {
  expect(() => parseCommand(text)).toThrow('the command is empty');
});
