/** The settings and the credentials, checked without the network. */
import { type Finding, ok, problem, warning } from './finding.ts';

interface SettingsFact {
  /** One text for each thing that is wrong or missing. */
  readonly problems: readonly string[];
  /** One text for each value that is allowed but looks like a mistake. It says what to do, too. */
  readonly warnings: readonly string[];
  /** What to do about all of it. */
  readonly next: string;
}

export function checkSettings({ problems, warnings, next }: SettingsFact): Finding[] {
  const findings = [
    ...problems.map((text) =>
      problem('settings', `${text.charAt(0).toUpperCase()}${text.slice(1)}.`, {
        reason: '`lark-bridge run` ends at once with these settings.',
        next,
        error: 'config_invalid',
      }),
    ),
    ...warnings.map((text) =>
      warning('settings', text, {
        reason: 'It is allowed, but it looks like a mistake.',
        next: 'Correct it if it is wrong; `lark-bridge config` shows what comes from where.',
      }),
    ),
  ];
  return findings.length > 0 ? findings : [ok('settings', 'Complete and valid.')];
}

interface CredentialsFact {
  readonly appId: string;
  readonly brandName: string;
  /** Where each of them comes from: a variable, a file … */
  readonly appIdFrom: string;
  readonly secretFrom: string;
  /** The app of the running daemon; undefined if none runs. */
  readonly daemonAppId: string | undefined;
}

export function checkCredentials(fact: CredentialsFact): Finding {
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
