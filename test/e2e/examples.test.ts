/** The agents in examples/, added as their first lines say, behind one running bridge. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseCommand } from '../../src/agents/command-line.ts';
import { blocksOf, ROOT, textOf } from '../documents.ts';
import { fakeAcpAgent } from '../kit/fake-acp-agent.ts';
import { temporaryFolderForFile } from '../kit/folder.ts';
import { Rig } from './rig.ts';

const FOLDER = join(ROOT, 'examples');
const EXAMPLES = readdirSync(FOLDER).filter((name) => name !== 'README.md');

/** `claude -p` keeps a conversation for each folder. This one says how many questions it had in it. */
const CLAUDE = `#!/bin/sh
[ "$1" = -p ] || exit 64
conversation="$HOME/conversation$(pwd | tr / -)"
if [ "$2" = --continue ]; then
  [ -e "$conversation" ] || exit 1
else
  rm -f "$conversation"
fi
cat >> "$conversation"
echo >> "$conversation"
echo "question $(wc -l < "$conversation" | tr -d ' '): $(tail -n 1 "$conversation")"
`;

/** Node.js 22.18 and newer. */
const readsTypeScript = Object.entries(process.features).some(
  ([feature, is]) => feature === 'typescript' && is !== false,
);

const bin = temporaryFolderForFile();
let rig: Rig;
let model: Server;

beforeAll(async () => {
  rig = await Rig.open();
  program('claude', CLAUDE);
  const acp = fakeAcpAgent(bin)
    .argv.map((word) => `'${word}'`)
    .join(' ');
  program(
    'claude-agent-acp',
    `#!/bin/sh\n[ "$1" = --version ] && exec echo 0.101.0\nexec ${acp}\n`,
  );
  model = createServer((request, response) => {
    void json(request).then((body) => {
      const { messages, ...asked } = body as { messages: { content: string }[] };
      const said = `${messages.length} messages, the first: `;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const content of [said, messages[0]?.content, ` (${JSON.stringify(asked)})`]) {
        response.write(`data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`);
      }
      response.end('data: [DONE]\n\n');
    });
  });
  await new Promise<void>((resolve) => model.listen(0, '127.0.0.1', resolve));
  await rig.runHere({ env: env() });
});

afterAll(async () => {
  model.close();
  await rig.close();
});

function env(): Record<string, string> {
  return { PATH: [bin, process.env['PATH']].join(delimiter) };
}

function program(name: string, text: string): void {
  writeFileSync(join(bin, name), text);
  chmodSync(join(bin, name), 0o755);
}

/** The line at the head of an example that adds it. */
function lineOf(file: string): string {
  const [, , second = ''] =
    /^(?:#!.*\n)?(?:#|\/\/) .* Add it with:\n(#|\/\/) {3}(lark-bridge agents add .*)$/m.exec(
      readFileSync(join(FOLDER, file), 'utf8'),
    ) ?? [];
  return second;
}

/** Runs a line as a shell in this repository would. From then on that agent gets the turns. */
async function add(line: string): Promise<void> {
  const [, ...words] = parseCommand(line.replaceAll('$PWD', ROOT));
  const { code, stderr } = await rig.command(words, { env: env() });
  expect(code, stderr).toBe(0);
}

let people = 0;

/** A direct chat with the bot. */
function talk() {
  people += 1;
  const { user, chat } = rig.direct(`Person ${people}`);
  let count = 0;
  const say = (text: string) => rig.cloud.say({ chat, from: user, text });
  return {
    say,
    ask: async (text: string): Promise<string> => {
      say(text);
      count += 1;
      // Until the end of the turn a card has a button to stop it.
      await rig.cloud.waitFor(() => {
        const replies = rig.replies(chat);
        return replies.length >= count && !replies.at(-1)?.text.includes('[Stop]');
      });
      return rig.replies(chat).at(-1)?.text ?? '';
    },
    shown: () =>
      rig
        .replies(chat)
        .map(({ text }) => text)
        .join('\n'),
  };
}

function isThere(command: string): boolean {
  try {
    execFileSync(command, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

test('each example says in its head how to add it, and examples/README.md tells of it', () => {
  expect(EXAMPLES.length).toBeGreaterThan(4);
  expect(EXAMPLES.filter((file) => !lineOf(file).includes(`examples/${file}`))).toEqual([]);
  const readme = textOf('examples/README.md');
  expect(EXAMPLES.filter((file) => !readme.includes(`| [${file}](${file}) |`))).toEqual([]);
});

test('machine.sh', async () => {
  await add(lineOf('machine.sh'));
  const { ask } = talk();
  expect(await ask('how full is the disk?')).toMatch(/Filesystem[\s\S]*%/);
  expect(await ask('$(date); `date`')).toContain('Ask me about');
});

test('notes.py keeps a list for each chat', async (context) => {
  if (!isThere('python3')) context.skip('there is no python3 on this machine');
  await add(lineOf('notes.py'));
  const mine = talk();
  expect(await mine.ask('add 买牛奶')).toBe('1. 买牛奶');
  expect(await mine.ask('add bread')).toMatch(/^1\. 买牛奶\s+2\. bread$/);
  expect(await mine.ask('done 1')).toBe('1. bread');
  expect(await talk().ask('list')).toBe('Nothing to do.');
});

test('deploy.ts asks before it acts', async () => {
  const line = lineOf('deploy.ts');
  await add(readsTypeScript ? line : line.replace('$PWD/examples/deploy.ts', compiled()));
  const { say, shown } = talk();
  say('deploy 1.2.3 please');
  await expect.poll(shown).toContain('1.2.3 is built. Deploy it?');
  say('Deploy');
  await expect.poll(shown).toContain('Deployed **1.2.3** for Person');
  const other = talk();
  other.say('deploy');
  await expect.poll(other.shown).toContain('the latest version is built');
  other.say('Not now');
  await expect.poll(other.shown).toContain('Nothing was deployed.');
});

/** What an older Node can run. */
function compiled(): string {
  const words = ['--ignoreConfig', '--target', 'es2023', '--module', 'nodenext', '--types', 'node'];
  const out = join(bin, 'compiled');
  mkdirSync(out);
  writeFileSync(join(out, 'package.json'), '{"type":"module"}');
  execFileSync(join(ROOT, 'node_modules/.bin/tsc'), [
    ...words,
    '--outDir',
    out,
    join(FOLDER, 'deploy.ts'),
  ]);
  return join(out, 'deploy.js');
}

test('local-model.mjs remembers each chat, and /new begins afresh', async () => {
  const address = `http://127.0.0.1:${(model.address() as AddressInfo).port}/v1`;
  await add(lineOf('local-model.mjs').replace('http://127.0.0.1:11434/v1', address));
  const { ask } = talk();
  const asked = JSON.stringify({ model: 'qwen3', stream: true });
  expect(await ask('hello')).toContain(`1 messages, the first: hello (${asked})`);
  expect(await ask('and more')).toContain('3 messages, the first: hello');
  await ask('/new');
  expect(await ask('again')).toContain('1 messages, the first: again');
  expect(await talk().ask('hi')).toContain('1 messages, the first: hi');
});

test('claude-code.sh goes on with the conversation of the chat', async () => {
  await add(lineOf('claude-code.sh'));
  const { ask } = talk();
  expect(await ask('first')).toBe('question 1: first');
  expect(await ask('second')).toBe('question 2: second');
  expect(await talk().ask('other')).toBe('question 1: other');
});

test('the lines of examples/README.md', async () => {
  const [block = ''] = blocksOf(textOf('examples/README.md'), 'console');
  const [acp = '', once = ''] = block.split('\n').map((line) => line.replace(/^\$ /, ''));
  await add(acp);
  expect(await talk().ask('say hi')).toContain('hi');
  await add(once);
  const { ask } = talk();
  expect(await ask('one')).toBe('question 1: one');
  expect(await ask('two')).toBe('question 1: two');
});
