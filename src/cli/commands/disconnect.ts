/** `lark-bridge disconnect`: removes the credentials of the bot from this machine. */
import { existsSync } from 'node:fs';
import type { Disconnected } from '../../app/disconnect.ts';
import type { Command, Invocation } from '../command.ts';
import { brandName } from '../connect-output.ts';
import { systemdFor } from '../service-scope.ts';

export const disconnectCommand: Command = {
  usage: 'disconnect',
  isForOperator: true,
  options: {
    all: {
      type: 'boolean',
      describe: 'Also remove the database: chats, turns, agents, and who may talk to the bot',
    },
  },
  examples: {
    'lark-bridge disconnect': 'Remove the credentials, and keep the history',
    'lark-bridge disconnect --all': 'Remove both',
  },
  run: async (invocation) => {
    const { options, output, loadConfig } = invocation;
    const config = await loadConfig([]);
    const { disconnect } = await import('../../app/disconnect.ts');
    const all = options['all'] === true;
    const done = await disconnect(config, { all });
    const { unitPath } = systemdFor('user', invocation);
    const unit = existsSync(unitPath) ? unitPath : undefined;
    const { app, fromKeyring, removed, left } = done;
    output.result(textOf(done, { stateDir: config.stateDir, all, unit }), {
      app_id: app?.id ?? null,
      tenant_brand: app?.brand ?? null,
      console_url: app?.consoleUrl ?? null,
      removed,
      removed_from_keyring: fromKeyring,
      left,
      unit: unit ?? null,
    });
    noteOfVariables(invocation);
  },
};

interface Place {
  readonly stateDir: string;
  readonly all: boolean;
  /** The service of this user; undefined if none is installed. */
  readonly unit: string | undefined;
}

function textOf(done: Disconnected, { stateDir, all, unit }: Place): string {
  const { app, fromKeyring, removed, left } = done;
  if (removed.length === 0 && !fromKeyring) return `There is no bot in ${stateDir}.`;
  return [
    app === undefined
      ? `Removed from ${stateDir}:`
      : `Disconnected the bot ${app.id} on ${brandName(app.brand)}. Removed:`,
    ...removed.map((path) => `  ${path}`),
    ...(fromKeyring ? ['  its secret in the keyring'] : []),
    ...(app === undefined
      ? []
      : [
          `The app still exists in ${brandName(app.brand)}. Disable or delete it in the developer console:`,
          `  ${app.consoleUrl}`,
        ]),
    ...(left.length === 0 ? [] : [`Left in ${stateDir}: ${left.join(', ')}`]),
    ...(all || left.length === 0
      ? []
      : ['To remove the database too: lark-bridge disconnect --all']),
    ...(unit === undefined
      ? []
      : [`The service is still installed: ${unit}`, '  lark-bridge service uninstall --user']),
  ].join('\n');
}

/** What the environment names is not ours to remove. */
function noteOfVariables({ env, output }: Invocation): void {
  const set = ['LARK_APP_ID', 'LARK_APP_SECRET', 'LARK_APP_SECRET_FILE'].filter(
    (name) => (env[name] ?? '') !== '',
  );
  if (set.length === 0) return;
  output.warning(`${set.join(', ')} still set in this environment: unset them too`);
}
