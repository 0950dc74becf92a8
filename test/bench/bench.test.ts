/** The bench still runs against the program as it is. What it measures is nobody's business here. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'lark-bridge-bench-test-'));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function bench(...words: string[]) {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'bench.js'), ...words]);
  let said = '';
  child.stdout.on('data', (chunk) => (said += String(chunk)));
  child.stderr.on('data', (chunk) => (said += String(chunk)));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, said };
}

test('a scenario runs, loses nothing and writes its report', async () => {
  const file = join(folder, 'report.json');
  const { code, said } = await bench('--quick', '--only', 'B2', '--json', file);
  expect(code, said).toBe(0);
  const report = JSON.parse(readFileSync(file, 'utf8')) as {
    scenarios: { id: string; correct: Record<string, number>; rows: { name: string }[] }[];
  };
  const [b2] = report.scenarios;
  expect(b2).toMatchObject({
    id: 'B2',
    correct: { lost: 0, repeated: 0, misordered: 0, wrong: 0 },
  });
  expect(b2?.correct['answered']).toBeGreaterThan(0);
  for (const { name } of b2?.rows ?? []) expect(said).toContain(name);
});

test('a scenario that does not exist is named', async () => {
  const { code, said } = await bench('--only', 'B0');
  expect([code, said]).toEqual([2, expect.stringContaining('B0')]);
});
