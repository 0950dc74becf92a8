/** An agent that streams. `grow UPDATES MS`: so many updates in so many milliseconds; any other text comes back. */
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const tell = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

for await (const line of createInterface({ input: process.stdin })) {
  const { text } = JSON.parse(line);
  const [, updates, durationMs] = /^grow (\d+) (\d+)$/.exec(text) ?? [];
  const startAt = performance.now();
  for (let at = 1; at <= Number(updates ?? 0); at += 1) {
    if (at % 20 === 0) tell({ type: 'status', text: `status ${at}` });
    else tell({ type: 'text', text: `word${at} ` });
    const dueAt = startAt + (at * Number(durationMs)) / Number(updates);
    await sleep(Math.max(0, dueAt - performance.now()));
  }
  tell({ type: 'final', text });
  process.exit(0);
}
