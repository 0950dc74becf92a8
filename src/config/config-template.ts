/** An example of config.json with every setting that it can hold, all of them in comments. */
import { settingRows } from './setting-rows.ts';

const HEAD = `// Settings of lark-bridge. Remove the // before a line to set it; they count from the next start.
// Environment variables and flags, named in parentheses, are used instead of this file.
// Secrets are never here: see docs/settings.md.
{`;

export function configTemplate(): string {
  const lines = settingRows().flatMap(([, { key, env, flag, fallback, doc }]) => {
    if (key === undefined) return [];
    const others = [...(env ?? []), ...(flag === undefined ? [] : [`--${flag}`])];
    const also = others.length === 0 ? '' : ` (${others.join(', ')})`;
    return ['', `  // ${doc}.${also}`, `  // ${JSON.stringify(key)}: ${exampleOf(fallback)},`];
  });
  return [HEAD, ...lines, '}', ''].join('\n');
}

/** The default, if there is one. */
function exampleOf(fallback: string | undefined): string {
  if (fallback === undefined) return '""';
  return /^\d+$/.test(fallback) ? fallback : JSON.stringify(fallback);
}
