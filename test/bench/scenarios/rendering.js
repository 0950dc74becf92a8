/** B8: an answer's Markdown becomes the messages that Lark gets. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { row } from '../report.js';
import { percentile, spread } from '../statistics.js';

const DIST = '../../../dist/lark/content';
const ANSWERS = join(import.meta.dirname, '../../fixtures/answers');
const NOTHING = { people: [], images: new Map() };
const MB = 1024 * 1024;

/** Of the texts in test/unit/lark/content/bounds.test.ts those that took longest, and one that is only long. */
const BOMBS = {
  'list items': '- a\n'.repeat(MB / 4),
  'quotes and lists': '> - > - > - a\n'.repeat(MB / 14),
  'signs that nothing closes': '**a_*'.repeat(MB / 5),
  'links on lines': '[a](http://b.example/d)\n\n'.repeat(MB / 25),
  fences: '```\n```\n'.repeat(MB / 8),
  'a fence that does not end': `\`\`\`js\n${'const a = 1;\n'.repeat(MB / 13)}`,
  words: 'Some words of an answer. '.repeat(MB / 25),
};

export async function measureRendering(_cloud, { rounds }) {
  const { answerOf } = await import(`${DIST}/answer.js`);
  const { firstStep } = await import(`${DIST}/ladder.js`);
  const { partsOfAnswer } = await import(`${DIST}/markdown-rows.js`);
  const render = (text) =>
    answerOf(text, NOTHING).parts.flatMap((part) => firstStep(part).messages);
  const answers = readdirSync(ANSWERS)
    .filter((name) => name.endsWith('.md'))
    .map((name) => readFileSync(join(ANSWERS, name), 'utf8'));
  const bytes = answers.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  const short = answers.filter((text) => text.length < 4_000);
  // What makes only empty forms is shown as it is written.
  const all = [...answers, ...Object.values(BOMBS)];
  const lost = all.filter((text) => partsOfAnswer(text).length === 0).length;
  // The first run of a function is slow, and a daemon renders many answers.
  answers.forEach(render);
  const speeds = [];
  const shortMs = [];
  for (let round = 0; round < rounds; round += 1) {
    speeds.push(bytes / 1e3 / timed(() => answers.forEach(render)));
    shortMs.push(
      percentile(
        short.map((text) => timed(() => render(text))),
        0.99,
      ),
    );
  }
  const worst = Object.entries(BOMBS).map(([name, text]) => {
    const ms = Array.from({ length: rounds }, () => timed(() => render(text)));
    return { name, ms: spread(ms) };
  });
  const slowest = worst.toSorted((a, b) => b.ms.median - a.ms.median)[0];
  return {
    id: 'B8',
    title: `${answers.length} answers of ${Math.round(bytes / 1e3)} kB become messages, without a network`,
    rows: [
      row('the corpus', { unit: 'MB/s', value: spread(speeds) }),
      row('an answer below 4,000 characters, p99', { unit: 'ms', value: spread(shortMs) }),
      row(`the worst text of 1 MB (${slowest.name})`, {
        unit: 'ms',
        value: slowest.ms,
        goal: { max: 1_000 },
      }),
    ],
    correct: { rendered: answers.length, lost },
  };
}

function timed(work) {
  const startedAt = performance.now();
  work();
  return performance.now() - startedAt;
}
