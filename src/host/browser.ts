/** Opens a link in the browser of the person who sits at this machine. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Environment } from './program.ts';

interface Machine {
  readonly env: Environment;
  readonly platform: NodeJS.Platform;
  readonly isRoot: boolean;
}

/** Resolves to false if the link was not opened. */
type OpenLink = (url: string) => Promise<boolean>;

/** The variables that a browser and its helpers need. They get no others, and so no secret. */
const NEEDED =
  /^(?:PATH|HOME|USER|LANG|BROWSER|DISPLAY|WAYLAND_DISPLAY|XAUTHORITY|DBUS_SESSION_BUS_ADDRESS|DESKTOP_SESSION|SystemRoot|USERPROFILE|(?:APP|LOCALAPP|Program)DATA|(?:XDG|LC|KDE|GNOME)_\w+)$/i;

/** Undefined if there is no browser that the person could see. */
export function findBrowser(machine: Machine): OpenLink | undefined {
  const command = commandFor(machine);
  if (command === undefined) return undefined;
  const env = Object.fromEntries(Object.entries(machine.env).filter(([name]) => NEEDED.test(name)));
  const [program, ...args] = command;
  return (url) => started(program, [...args, url], env);
}

function commandFor({
  env,
  platform,
  isRoot,
}: Machine): readonly [string, ...string[]] | undefined {
  const isSet = (name: string) => (env[name] ?? '') !== '';
  if (platform === 'linux') {
    const hasDisplay = isSet('DISPLAY') || isSet('WAYLAND_DISPLAY');
    return hasDisplay && isOnPath('xdg-open', env) ? ['xdg-open'] : undefined;
  }
  // Over SSH the browser would open in front of somebody else, and root has none.
  if (isRoot || isSet('SSH_CONNECTION')) return undefined;
  if (platform === 'darwin') return ['open'];
  // `start` is a word of cmd.exe, which would read the `&` of a link as its own.
  return platform === 'win32' ? ['rundll32', 'url.dll,FileProtocolHandler'] : undefined;
}

function isOnPath(name: string, env: Environment): boolean {
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.some((folder) => existsSync(join(folder, name)));
}

/** A browser that stays in the foreground counts as open for as long as it runs. It may outlive this process. */
function started(program: string, args: readonly string[], env: Environment): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { env, stdio: 'ignore', detached: true });
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
    child.unref();
  });
}
