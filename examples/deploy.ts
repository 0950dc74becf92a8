// Shows its steps, and asks before it acts. Node.js 22.18 or newer runs TypeScript as it is. Add it with:
//   lark-bridge agents add deploy --stream --exec "node $PWD/examples/deploy.ts"
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

interface Turn {
  readonly text: string;
  readonly sender: { readonly name: string } | null;
}

interface Answer {
  readonly option?: string;
  readonly cancelled?: boolean;
}

type Line =
  | { type: 'text'; text: string }
  | { type: 'step'; id: string; title: string; status: 'running' | 'done' | 'failed' }
  | { type: 'ask'; id: string; text: string; options: { id: string; label: string }[] };

const input = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

function say(line: Line): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function hear<T>(): Promise<T> {
  const { value } = await input.next();
  return JSON.parse(value as string) as T;
}

async function step(id: string, title: string): Promise<void> {
  say({ type: 'step', id, title, status: 'running' });
  await sleep(100); // Here something would be done.
  say({ type: 'step', id, title, status: 'done' });
}

const turn = await hear<Turn>();
const version = /\d+(?:\.\d+)*/.exec(turn.text)?.[0] ?? 'the latest version';
await step('build', `Build ${version}`);
say({
  type: 'ask',
  id: 'go',
  text: `${version} is built. Deploy it?`,
  options: [
    { id: 'yes', label: 'Deploy' },
    { id: 'no', label: 'Not now' },
  ],
});
const { option } = await hear<Answer>();
if (option === 'yes') {
  await step('deploy', `Deploy ${version}`);
  say({ type: 'text', text: `Deployed **${version}** for ${turn.sender?.name ?? 'somebody'}.` });
} else {
  say({ type: 'text', text: 'Nothing was deployed.' });
}
// The input stays open for further answers, so it does not end by itself.
process.stdin.destroy();
