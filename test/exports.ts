/** Finds exports that no other file imports. An export tells a reader that other files depend on it. */
import { posix } from 'node:path';

interface SourceFile {
  /** From the root of the repository, with slashes: `src/core/ids.ts`. */
  readonly path: string;
  readonly source: string;
}

const EXPORT =
  /^export (?:async )?(?:function\*?|class|abstract class|const|let|interface|type|enum) (\w+)/gm;
/** `import { a, type b as c } from '…'`, also after a default import, and `export { a } from '…'`. */
const NAMED = /^(?:import|export)\b[^;'{]*\{([^}]*)\}\s*from\s*'([^']+)'/gm;
const NAMESPACE = /^import\b[^;'{]*\* as \w+ from\s*'([^']+)'/gm;
/** `const { a, b: c } = await import('…')`. */
const LOADED = /\{([^{}]*)\}\s*=\s*(?:await\s+)?import\('([^']+)'\)/g;
/** `import('…').Name`, as in types. */
const MEMBER = /import\('([^']+)'\)\)?\.(\w+)/g;
const EVERYTHING = '*';

/** The exports of `files` that none of `importers` names, as `path: name`. */
export function unusedExports(
  files: readonly SourceFile[],
  importers: readonly SourceFile[],
): string[] {
  const imported = new Set(importers.flatMap(importedNames));
  return files.flatMap(({ path, source }) =>
    imported.has(`${path}: ${EVERYTHING}`)
      ? []
      : [...source.matchAll(EXPORT)]
          .map(([, name]) => `${path}: ${name}`)
          .filter((one) => !imported.has(one)),
  );
}

function importedNames({ path, source }: SourceFile): string[] {
  const named = [...source.matchAll(NAMED), ...source.matchAll(LOADED)].flatMap(
    ([, names = '', target = '']) => namesIn(names).map((name) => [target, name] as const),
  );
  const whole = [...source.matchAll(NAMESPACE)].map(
    ([, target = '']) => [target, EVERYTHING] as const,
  );
  const members = [...source.matchAll(MEMBER)].map(
    ([, target = '', name = '']) => [target, name] as const,
  );
  return [...named, ...whole, ...members]
    .filter(([target]) => target.startsWith('.'))
    .map(([target, name]) => `${posix.join(posix.dirname(path), target)}: ${name}`);
}

function namesIn(list: string): string[] {
  return list
    .split(',')
    .map(
      (one) =>
        one
          .trim()
          .replace(/^type /, '')
          .split(/ as |:/, 1)[0] ?? '',
    )
    .filter((name) => name !== '');
}
