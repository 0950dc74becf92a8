/** Whose service of systemd a command means. */
import { homedir } from 'node:os';
import { BridgeError } from '../core/errors.ts';
import { Systemd, unitFolder } from '../host/service/systemd.ts';
import type { Scope } from '../host/service/units.ts';
import type { Invocation, Options } from './command.ts';

export const scopeOptions = {
  user: { type: 'boolean', describe: 'The service of your user (default unless you are root)' },
  system: {
    type: 'boolean',
    describe: 'The service of the machine, which runs as a user of its own',
  },
} as const satisfies Options;

export function scopeOf({ options }: Invocation): Scope {
  const { user, system } = options;
  if (user === true && system === true) {
    throw new BridgeError('usage', '--user and --system exclude each other', {
      next: 'Give one of them, or none: then root gets a service of the system, and others one of their own.',
    });
  }
  if (user !== true && system !== true) return process.getuid?.() === 0 ? 'system' : 'user';
  return system === true ? 'system' : 'user';
}

export function systemdOf(invocation: Invocation): Systemd {
  return systemdFor(scopeOf(invocation), invocation);
}

/** The same, whatever the options say. */
export function systemdFor(scope: Scope, { env }: Invocation): Systemd {
  return new Systemd({ scope, env, folder: unitFolder(scope, { env, home: homeOf(env) }) });
}

export function homeOf(env: Invocation['env']): string {
  const home = env['HOME'] ?? '';
  return home === '' ? homedir() : home;
}
