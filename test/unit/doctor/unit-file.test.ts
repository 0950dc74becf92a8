import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { commandOf, checkUnits, readUnits } from '../../../src/doctor/unit-file.ts';
import { renderSystemd } from '../../../src/host/service/units.ts';
import { temporaryFolder } from '../../kit/folder.ts';

let root: string;
let facts: Parameters<typeof renderSystemd>[1];

beforeEach(() => {
  root = temporaryFolder('lark doctor $1 50%-');
  mkdirSync(join(root, 'bin'));
  const [node, program] = ['node', 'lark-bridge.js'].map((name) => join(root, 'bin', name));
  facts = {
    node: node ?? '',
    program: program ?? '',
    stateDir: root,
    path: undefined,
    secretFile: undefined,
  };
  for (const path of [facts.node, facts.program]) writeFileSync(path, '');
  writeFileSync(join(root, 'package.json'), '{"version":"1.2.3"}');
});

const folders = () => [{ scope: 'user', folder: root } as const];
const install = (text: string) => writeFileSync(join(root, 'lark-bridge.service'), text);

test('what our own units start is read back, whatever is in the paths', () => {
  for (const scope of ['user', 'system'] as const) {
    expect(commandOf(renderSystemd(scope, facts))).toEqual([facts.node, facts.program, 'run']);
  }
});

test('a sound service', () => {
  install(renderSystemd('user', facts));
  const [unit] = readUnits(folders());
  expect(unit).toMatchObject({ gone: [], version: '1.2.3' });
  expect(checkUnits([unit!], '1.2.3')[0]?.level).toBe('ok');
  expect(checkUnits([unit!], '1.3.0')[0]).toMatchObject({ level: 'warning' });
});

test('a Node.js that an upgrade took away', () => {
  install(renderSystemd('user', facts));
  rmSync(facts.node);
  const units = readUnits(folders());
  expect(units[0]?.gone).toEqual([facts.node]);
  const [found] = checkUnits(units, '1.2.3');
  expect(found).toMatchObject({ level: 'problem', error: 'failed' });
  expect(found?.next).toContain('service install --user');
});

test('none, and one of somebody else', () => {
  expect(checkUnits(readUnits(folders()), '1.2.3')[0]?.level).toBe('note');
  install('[Service]\nType=oneshot\n');
  expect(checkUnits(readUnits(folders()), '1.2.3')[0]?.level).toBe('note');
});
