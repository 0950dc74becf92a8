import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { beginReplacement, finishReplacement } from '../../../src/files/replacement.ts';
import { temporaryFolder } from '../../kit/folder.ts';

/** The renames of the replacement below, in order. */
const STEPS = [
  ['b.db-wal', 'b.db.old-wal'],
  ['b.db', 'b.db.old'],
  ['new/b.db', 'b.db'],
  ['agents', 'agents.old'],
  ['new/agents', 'agents'],
  ['owner.json', 'owner.json.old'],
] as const;

test.each([0, 1, 2, 3, 4, 5, 6])(
  'killed after %i of its steps, it is finished by the next',
  (done) => {
    const folder = temporaryFolder();
    const at = (name: string) => join(folder, name);
    for (const name of ['agents', 'new', 'new/agents']) mkdirSync(at(name));
    for (const name of ['b.db', 'b.db-wal', 'agents/a', 'owner.json']) {
      writeFileSync(at(name), `old ${name}`);
    }
    for (const name of ['b.db', 'agents/a']) writeFileSync(at(`new/${name}`), `new ${name}`);
    beginReplacement(folder, {
      folder: at('new'),
      moves: [
        { to: at('b.db-wal'), aside: at('b.db.old-wal') },
        { to: at('b.db'), aside: at('b.db.old'), from: at('new/b.db') },
        { to: at('agents'), aside: at('agents.old'), from: at('new/agents') },
        { to: at('owner.json'), aside: at('owner.json.old') },
      ],
    });
    for (const [from, to] of STEPS.slice(0, done)) renameSync(at(from), at(to));

    expect(finishReplacement(folder)).toHaveLength(4);
    const read = (name: string) => readFileSync(at(name), 'utf8');
    expect(['b.db', 'agents/a'].map(read)).toEqual(['new b.db', 'new agents/a']);
    expect(['b.db.old', 'b.db.old-wal', 'agents.old/a', 'owner.json.old'].map(read)).toEqual([
      'old b.db',
      'old b.db-wal',
      'old agents/a',
      'old owner.json',
    ]);
    expect(['owner.json', 'b.db-wal', 'new'].map((name) => existsSync(at(name)))).toEqual([
      false,
      false,
      false,
    ]);
    expect(finishReplacement(folder)).toBeUndefined();
  },
);
