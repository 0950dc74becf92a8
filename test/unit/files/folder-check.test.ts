import { mkdirSync, realpathSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findAllowedFolder, findFolder } from '../../../src/files/folder-check.ts';
import { temporaryFolder } from '../../kit/folder.ts';

function tree() {
  const base = realpathSync(temporaryFolder());
  const root = join(base, 'work');
  mkdirSync(join(root, 'deep'), { recursive: true });
  mkdirSync(join(base, 'work-of-others'));
  writeFileSync(join(root, 'file'), '');
  return { base, root };
}

describe('R34: an agent works in an absolute folder that exists, below one that was allowed', () => {
  test('the folder itself and those below it', () => {
    const { root } = tree();
    expect(findAllowedFolder(root, [root])).toEqual({ ok: true, path: root });
    const deep = { ok: true, path: join(root, 'deep') };
    expect(findAllowedFolder(`${root}/deep/`, [root])).toEqual(deep);
    expect(findAllowedFolder(`${root}/./deep/../deep`, [root])).toEqual(deep);
    expect(findAllowedFolder(`${root}/deep`, ['/'])).toEqual(deep);
  });

  test('neither `..`, nor a link, nor a name that begins alike leads out', () => {
    const { base, root } = tree();
    symlinkSync(base, join(root, 'out'));
    const outside = { ok: false, why: 'outside' };
    for (const path of [base, `${root}/..`, `${root}/out`, `${root}/out/work-of-others`, '/']) {
      expect(findAllowedFolder(path, [root]), path).toEqual(outside);
    }
    expect(findAllowedFolder(join(base, 'work-of-others'), [root])).toEqual(outside);
    expect(findAllowedFolder(root, [])).toEqual(outside);
  });

  test('a link that leads back inside is the folder that it leads to', () => {
    const { base, root } = tree();
    symlinkSync(join(root, 'deep'), join(base, 'link'));
    const found = findAllowedFolder(join(base, 'link'), [root]);
    expect(found).toEqual({ ok: true, path: join(root, 'deep') });
  });

  test('a root that was replaced by a link allows nothing elsewhere', () => {
    const { base, root } = tree();
    renameSync(root, join(base, 'moved'));
    symlinkSync('/', root);
    expect(findAllowedFolder(join(root, 'tmp'), [root])).toEqual({ ok: false, why: 'outside' });
  });

  test('what is no folder is refused, and says why', () => {
    const { root } = tree();
    expect(findFolder('work')).toEqual({ ok: false, why: 'relative' });
    expect(findFolder('~/work')).toEqual({ ok: false, why: 'relative' });
    expect(findFolder('')).toEqual({ ok: false, why: 'relative' });
    expect(findFolder(join(root, 'none'))).toEqual({ ok: false, why: 'missing' });
    expect(findFolder(join(root, 'file'))).toEqual({ ok: false, why: 'not_a_folder' });
    expect(findFolder(join(root, 'file', 'deeper'))).toEqual({ ok: false, why: 'missing' });
    expect(findFolder(`${root}/a\0b`)).toEqual({ ok: false, why: 'missing' });
    expect(findFolder(`/${'x'.repeat(5000)}`)).toEqual({ ok: false, why: 'missing' });
  });
});
