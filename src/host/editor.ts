/** Opens a file in the person's editor. */
import { spawn } from 'node:child_process';
import type { Environment } from './program.ts';

/** What an editor needs to find its terminal, its screen and its settings. Secrets of the bridge are not for it. */
const NEEDED =
  /^(?:PATH|HOME|USER|LOGNAME|SHELL|TERM|COLORTERM|TMPDIR|DISPLAY|WAYLAND_DISPLAY|LANG|LC_\w+|XDG_\w+|VIM\w*)$/;

/** Resolves with its exit code; undefined if a signal ended it. `signal` ends it too. */
export function runEditor(
  path: string,
  { env, signal }: { readonly env: Environment; readonly signal: AbortSignal },
): Promise<number | undefined> {
  const command = [env['VISUAL'], env['EDITOR']].find((one = '') => one !== '') ?? 'vi';
  const given = Object.fromEntries(Object.entries(env).filter(([name]) => NEEDED.test(name)));
  return new Promise((resolve, reject) => {
    // As git does: the variable may hold arguments too.
    const args = ['-c', `${command} "$1"`, 'sh', path];
    const child = spawn('sh', args, { env: given, stdio: 'inherit' });
    const stop = () => child.kill('SIGTERM');
    signal.addEventListener('abort', stop, { once: true });
    child.once('error', reject);
    child.once('close', (code) => {
      signal.removeEventListener('abort', stop);
      resolve(code ?? undefined);
    });
  });
}
