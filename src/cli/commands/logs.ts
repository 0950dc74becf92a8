/** `lark-bridge logs`, and `service logs`: what the bot has logged, where it runs as a service. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { locateStateDir } from '../../config/load.ts';
import { BridgeError } from '../../core/errors.ts';
import type { Systemd } from '../../host/service/systemd.ts';
import type { Command, Invocation, Options, Subcommand } from '../command.ts';
import { scopeOptions, systemdFor, systemdOf } from '../service-scope.ts';
import { sinceOf } from '../spans.ts';

const LINES_DEFAULT = 100;
const LINES_MAX = 100_000;

const logOptions = {
  ...scopeOptions,
  follow: { type: 'boolean', alias: 'f', describe: 'Also show new lines as they come' },
  lines: {
    type: 'number',
    alias: 'n',
    range: { min: 1, max: LINES_MAX },
    default: LINES_DEFAULT,
    describe: 'Show at most this many of the latest lines',
  },
  since: { describe: 'Show only lines since then: 30m, 2h, 7d, 2026-01-31' },
} as const satisfies Options;

export const serviceLogsCommand: Subcommand = {
  usage: 'logs',
  describe: 'Show the log of the service',
  examples: {
    'lark-bridge service logs -f': 'Follow the log',
    'lark-bridge service logs -n 1000': 'Show the latest 1000 lines',
  },
  options: logOptions,
  run: (invocation) => showLogs(invocation, systemdOf(invocation)),
};

/** For people who do not think of a service: the one that is installed is meant. */
export const logsCommand: Command = {
  usage: 'logs',
  options: logOptions,
  examples: {
    'lark-bridge logs -f': 'Follow the log of the service',
    'lark-bridge logs --since 2h': 'Show the last two hours',
  },
  run: (invocation) => {
    const { user, system } = invocation.options;
    if (user === true || system === true) return showLogs(invocation, systemdOf(invocation));
    const installed = (['user', 'system'] as const)
      .map((scope) => systemdFor(scope, invocation))
      .find(({ unitPath }) => existsSync(unitPath));
    if (installed === undefined) throw noLog(locateStateDir(invocation.configRequest([])));
    return showLogs(invocation, installed);
  },
};

function noLog(stateDir: string): BridgeError {
  // Where launchd puts it.
  const file = join(stateDir, 'service.log');
  const isFile = existsSync(file);
  return new BridgeError('failed', 'lark-bridge is not installed as a service of systemd here', {
    next: isFile
      ? `Its log is the file ${file}.`
      : 'Its log is where `lark-bridge run` was started: it writes to stderr. `lark-bridge service install` keeps it in the journal.',
  });
}

async function showLogs(invocation: Invocation, systemd: Systemd): Promise<void> {
  const { options, output, signal, stdout, stderr } = invocation;
  const { since } = options;
  await systemd.logs({
    lines: Number(options['lines']),
    sinceMs: typeof since === 'string' ? sinceOf(since, Date.now()) : undefined,
    follow: options['follow'] === true,
    json: output.json,
    signal,
    stdout,
    stderr,
  });
}
