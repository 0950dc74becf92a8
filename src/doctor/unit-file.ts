/** The installed service: does what its unit starts still exist? */
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isSystemError } from '../core/errors.ts';
import { SERVICE_NAME } from '../host/service/units.ts';
import { type Finding, note, ok, problem, warning } from './finding.ts';

export interface UnitFact {
  readonly path: string;
  readonly scope: 'system' | 'user';
  /** What it starts: Node.js and the program, if lark-bridge wrote the unit. */
  readonly words: readonly string[];
  /** Those of them that no longer exist. */
  readonly gone: readonly string[];
  /** Version of the package that it starts. */
  readonly version: string | undefined;
  /** The PATH that it has; undefined if lark-bridge did not write it. */
  readonly searchPath: string | undefined;
}

export function readUnits(
  folders: readonly { readonly scope: UnitFact['scope']; readonly folder: string }[],
): UnitFact[] {
  return folders.flatMap(({ scope, folder }) => {
    const path = join(folder, `${SERVICE_NAME}.service`);
    const text = textOf(path);
    if (text === undefined) return [];
    const words = commandOf(text).slice(0, 2);
    const gone = words.filter((word) => word.startsWith('/') && !existsSync(word));
    const [, program] = words;
    const version = program === undefined || gone.length > 0 ? undefined : versionOf(program);
    const searchPath = words.length < 2 ? undefined : (pathIn(text) ?? PATH_OF_SYSTEMD);
    return [{ path, scope, words, gone, version, searchPath }];
  });
}

/** Where systemd looks for programs if a unit does not say it. */
const PATH_OF_SYSTEMD = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin';

/** The words of `ExecStart`, as systemd reads them. */
export function commandOf(unit: string): string[] {
  const line = /^ExecStart=[-@:+!]*(.*)$/m.exec(unit)?.[1] ?? '';
  return wordsIn(line).map((word) => word.replaceAll('$$', '$'));
}

/** PATH among the variables of a unit. */
function pathIn(unit: string): string | undefined {
  const words = [...unit.matchAll(/^Environment=(.*)$/gm)].flatMap(([, line]) =>
    wordsIn(line ?? ''),
  );
  return words.findLast((word) => word.startsWith('PATH='))?.slice('PATH='.length);
}

function wordsIn(line: string): string[] {
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, quoted, bare]) => {
    const word = quoted === undefined ? (bare ?? '') : quoted.replaceAll(/\\(.)/g, '$1');
    return word.replaceAll('%%', '%');
  });
}

/** The package.json is one folder above the program. */
function versionOf(program: string): string | undefined {
  const text = textOf(join(dirname(realpathSync(program)), '..', 'package.json'));
  if (text === undefined) return undefined;
  try {
    const { version } = JSON.parse(text) as { version?: unknown };
    return typeof version === 'string' ? version : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    // It does not exist, or this user may not read it.
    if (isSystemError(error)) return undefined;
    throw error;
  }
}

export function checkUnits(units: readonly UnitFact[], ownVersion: string): Finding[] {
  const check = 'service';
  if (units.length === 0) {
    return [
      note(check, 'lark-bridge is not installed as a service.', {
        reason: 'After each reboot somebody has to start it by hand.',
        next: 'Install it: lark-bridge service install',
      }),
    ];
  }
  return units.map(({ path, scope, words, gone, version }) => {
    const again = `lark-bridge service install --${scope}`;
    if (gone.length > 0) {
      return problem(check, `${path} starts ${gone.join(' and ')}, which no longer exists.`, {
        reason: "An upgrade or a move removed it, so the service can't start again.",
        next: `Write the unit again: ${again}`,
        error: 'failed',
      });
    }
    if (words.length < 2) {
      return note(check, `${path} was not written by lark-bridge, so it is not checked.`);
    }
    if (version !== undefined && version !== ownVersion) {
      return warning(check, `${path} starts version ${version}, this is ${ownVersion}.`, {
        reason: 'There are two installations, and the service starts the other one.',
        next: `To use this one: ${again}`,
      });
    }
    return ok(check, `${path} starts ${words.join(' ')}, and both exist.`);
  });
}
