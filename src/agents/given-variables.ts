/** The variables that a person chose for an agent: names in the bridge's own environment, and a file. */
import { constants } from 'node:fs';
import { BridgeError, errorText, isSystemError } from '../core/errors.ts';
import { withOpened } from '../files/opened-file.ts';
import { ownUser, secretTrouble } from '../files/rights.ts';
import type { Log } from '../core/log.ts';
import type { Environment } from './environment.ts';
import type { ProgramSpec } from './runtime.ts';

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** Settings of the bridge, what it tells each program about the message, and systemd's variables. */
const RESERVED =
  /^(?:LARK_|MOLECULE_)|^(?:WORKSPACE_ID|PLATFORM_URL|NOTIFY_SOCKET|WATCHDOG_(?:USEC|PID)|CREDENTIALS_DIRECTORY)$/i;
/** The bridge's own collector. A program with a collector of its own gets it from a file. */
const OF_THE_BRIDGE = /^OTEL_EXPORTER_OTLP_/i;
/** The environment of a program has a limit too. A larger file is not one of variables. */
const FILE_BYTES_MAX = 64 * 1024;

/** Throws `usage` for names that a program can't get from the bridge's environment. */
export function checkNames(names: readonly string[]): void {
  for (const name of names) {
    // With a value it would be a secret on the command line, so not all of it is repeated.
    const [shown = ''] = name.split('=');
    if (name.includes('=')) {
      throw new BridgeError('usage', `--env takes the name ${shown} alone, without a value`, {
        next: `Set ${shown} in the environment of lark-bridge, or put the line into a file and use --env-file.`,
      });
    }
    if (!NAME.test(name)) {
      throw new BridgeError('usage', `${JSON.stringify(name)} is not the name of a variable`, {
        next: 'Name variables of the environment, for example: --env ANTHROPIC_API_KEY',
      });
    }
    if (RESERVED.test(name) || OF_THE_BRIDGE.test(name)) {
      throw new BridgeError('usage', `${name} belongs to lark-bridge, and no agent gets it`, {
        next: 'If the program needs a variable of this kind, give it another name.',
      });
    }
  }
}

/**
 * What a file of variables holds now. Throws `config_invalid` if it can't be read, if others may read it, or if
 * it is not one. `owner` may own it besides the user of this process.
 */
export function readVariables(path: string, owner = ownUser()): Environment {
  return parseVariables(path, readOwnFile(path, owner));
}

function readOwnFile(path: string, owner: number | undefined): string {
  // Without NONBLOCK a pipe with this name would stop everything.
  const flags = constants.O_RDONLY | constants.O_NONBLOCK;
  try {
    return withOpened(
      path,
      ({ stat, read }) => {
        if (!stat.isFile()) throw unusable(path, 'it is not a file', 'Name a file.');
        const trouble = secretTrouble(path, stat, owner ?? stat.uid);
        if (trouble !== undefined) throw unusable(path, trouble.what, trouble.next);
        if (stat.size > FILE_BYTES_MAX) {
          throw unusable(path, 'it is too large for a file of variables', 'Name another file.');
        }
        return read();
      },
      flags,
    );
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw unusable(path, errorText(error), 'Create the file, or correct its path or its rights.');
  }
}

/** What a person chose for a program, with the values of now. Throws as `readVariables` does. */
export function givenVariables(
  { variables = [], variablesFile: path }: ProgramSpec,
  { env, owner }: { readonly env: Environment; readonly owner: number | undefined },
): Environment {
  const named = Object.fromEntries(variables.map((name) => [name, env[name]]));
  return { ...named, ...(path !== undefined && readVariables(path, owner)) };
}

export function warnOfMissing({ variables = [] }: ProgramSpec, env: Environment, log: Log): void {
  const missing = variables.filter((name) => (env[name] ?? '') === '');
  if (missing.length === 0) return;
  log.warn('agent_variables_not_set', {
    names: missing.join(' '),
    effect: 'its program runs without them',
    next: 'Set them in the environment of lark-bridge, or add the agent anew with --env-file.',
  });
}

/** Lines `KEY=VALUE`, as in files for `docker --env-file` and systemd; `#` begins a comment. */
function parseVariables(path: string, text: string): Environment {
  const found: Record<string, string> = {};
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const [, name = '', rest = ''] = /^(?:export\s+)?([^\s=]+)\s*=\s*(.*)$/.exec(line) ?? [];
    const value = valueOf(rest);
    // The line itself is not shown, because it may hold a secret.
    const where = `line ${index + 1}`;
    if (!NAME.test(name) || value === undefined) {
      throw unusable(path, `${where} is not KEY=VALUE`, 'Correct that line.');
    }
    if (RESERVED.test(name)) {
      throw unusable(path, `${where} sets ${name}, which belongs to lark-bridge`, 'Remove it.');
    }
    found[name] = value;
  }
  return found;
}

/** Without its quotes and the comment after it. Undefined if a quote is not closed. */
function valueOf(rest: string): string | undefined {
  const quote = rest.charAt(0);
  if (quote !== '"' && quote !== "'") return rest.replace(/\s+#.*$/, '');
  const quoted = quote === '"' ? /^"((?:[^"\\]|\\.)*)"\s*(?:#.*)?$/ : /^'([^']*)'\s*(?:#.*)?$/;
  const inside = quoted.exec(rest)?.[1];
  if (inside === undefined || quote === "'") return inside;
  return inside.replaceAll(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
}

function unusable(path: string, why: string, next: string): BridgeError {
  return new BridgeError('config_invalid', `can't use the file of variables ${path}: ${why}`, {
    next,
  });
}
