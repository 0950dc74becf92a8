/** The settings, and the credentials among them, without asking anybody. */
import { type Finding, ok, problem, warning } from './finding.ts';

export interface SettingsFact {
  /** What is wrong or missing, in words. */
  readonly problems: readonly string[];
  /** What can hardly be meant, in words that say what to do as well. */
  readonly warnings: readonly string[];
  /** What to do about all of it. */
  readonly next: string;
}

export function judgeSettings({ problems, warnings, next }: SettingsFact): Finding[] {
  const findings = [
    ...problems.map((text) =>
      problem('settings', `${text.charAt(0).toUpperCase()}${text.slice(1)}.`, {
        reason: '`lark-bridge run` ends at once like this.',
        next,
        error: 'config_invalid',
      }),
    ),
    ...warnings.map((text) =>
      warning('settings', text, {
        reason: 'It is allowed, but can hardly be meant.',
        next: 'Correct it if it is wrong; `lark-bridge config` shows what comes from where.',
      }),
    ),
  ];
  return findings.length > 0 ? findings : [ok('settings', 'Complete, and all of them make sense.')];
}

export interface CredentialsFact {
  readonly appId: string;
  readonly brandName: string;
  /** Where each of them comes from: a variable, a file … */
  readonly appIdFrom: string;
  readonly secretFrom: string;
  /** The app that the running daemon is; undefined if none runs. */
  readonly daemonAppId: string | undefined;
}

export function judgeCredentials(fact: CredentialsFact): Finding {
  const { appId, brandName, appIdFrom, secretFrom, daemonAppId } = fact;
  if (daemonAppId !== undefined && daemonAppId !== appId) {
    return warning(
      'credentials',
      `The daemon runs as ${daemonAppId}, the settings name ${appId}.`,
      {
        reason: 'It was started with other settings: a service has an environment of its own.',
        next: 'Run this with the settings of the daemon, or restart the daemon.',
      },
    );
  }
  return ok(
    'credentials',
    `App ${appId} in ${brandName} (from ${appIdFrom}), its secret from ${secretFrom}.`,
  );
}
