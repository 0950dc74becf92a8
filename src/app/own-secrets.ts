/** Keeps the secrets in the environment of this process from the programs that it starts. */
import { isSecretName } from '../agents/environment.ts';
import type { Setting } from '../config/settings.ts';
import { settingRows } from '../config/setting-rows.ts';
import { clearVariables } from '../host/own-environment.ts';
import type { Log } from '../core/log.ts';
import type { Environment } from '../config/load.ts';

/** Their names say nothing: what a collector of traces asks for. */
const HEADERS = /^OTEL_EXPORTER_OTLP_(?:TRACES_)?HEADERS$/;
/** Paths of files, which a package reads from the environment. */
const PATHS = /^OTEL_EXPORTER_OTLP_(?:TRACES_)?CLIENT_KEY$/;

interface KeptEnvironment {
  /** All of it, for this process alone. */
  readonly env: Environment;
  /** Warns if the secrets can still be seen. */
  readonly report: (log: Log) => void;
}

/**
 * Moves the environment to where only this process can read it, and leaves it without secrets. Call it before
 * anything else is started.
 */
export function keepSecrets(env: Record<string, string | undefined>): KeptEnvironment {
  const kept = { ...env };
  const problem = clearVariables(env, Object.keys(kept).filter(isSecret));
  const report = (log: Log) => {
    if (problem === undefined) return;
    log.warn('environment_not_cleared', {
      error: problem,
      effect:
        "agents' programs of the same user can read the secrets in the environment of lark-bridge",
      next: 'Keep secrets in files (LARK_APP_SECRET_FILE, agents add --env-file), or run the programs as another user (--user).',
    });
  };
  return { env: kept, report };
}

function isSecret(name: string): boolean {
  if (PATHS.test(name)) return false;
  return HEADERS.test(name) || isSecretName(name) || SETTINGS_THAT_ARE_SECRET.has(name);
}

const SETTINGS_THAT_ARE_SECRET: ReadonlySet<string> = new Set(
  settingRows().flatMap(([, row]: readonly [string, Setting<unknown>]) =>
    row.secret === true ? (row.env ?? []) : [],
  ),
);
