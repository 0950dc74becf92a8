/** The operating system's keyring, through an optional package. */
import { BridgeError, errorText } from '../core/errors.ts';
import type { AppId } from '../core/ids.ts';
import { Secret } from '../core/secret.ts';

/** All throw `store_unavailable` if the keyring is locked or missing. */
export interface Keyring {
  /** Does nothing but check that it can be used. */
  check(): void;
  /** The secret of an app, if the keyring has one. */
  read(app: AppId): Secret | undefined;
  keep(app: AppId, secret: Secret): void;
  /** Whether there was one. */
  forget(app: AppId): boolean;
}

const PACKAGE = '@napi-rs/keyring';
/** The name in the keyring, together with the app's id. */
const SERVICE = 'lark-bridge';
/**
 * Without a Secret Service the package would use the kernel's keyring. That one is empty after a reboot, so an
 * error is better. Other systems have only one keyring.
 */
const OPTIONS = { linux: { store: 'secret-service' } } as const;

/** Throws `config_invalid` if the package is not installed. */
export async function openKeyring(): Promise<Keyring> {
  const { Entry } = await load();
  const asked = <T>(name: string, work: (entry: InstanceType<typeof Entry>) => T): T => {
    try {
      return work(new Entry(SERVICE, name, OPTIONS));
    } catch (error) {
      // The package throws plain errors only.
      throw unusable(error);
    }
  };
  return {
    check() {
      asked('check', (entry) => entry.getPassword());
    },
    read(app) {
      const kept = asked(app, (entry) => entry.getPassword());
      return kept === null ? undefined : new Secret(kept);
    },
    keep(app, secret) {
      asked(app, (entry) => entry.setPassword(secret.reveal()));
    },
    forget(app) {
      return asked(app, (entry) => entry.deletePassword());
    },
  };
}

async function load() {
  try {
    return await import('@napi-rs/keyring');
  } catch (error) {
    throw new BridgeError(
      'config_invalid',
      `the keyring needs the package ${PACKAGE}, which can't be loaded: ${firstLine(error)}`,
      {
        next: `Install it next to lark-bridge (\`npm install --global ${PACKAGE}\`), or set LARK_BRIDGE_SECRETS=file.`,
        cause: error,
      },
    );
  }
}

function unusable(error: unknown): BridgeError {
  return new BridgeError('store_unavailable', `the keyring can't be used: ${firstLine(error)}`, {
    next: 'Unlock it, or run this where there is one (on Linux: a desktop session with a Secret Service, such as GNOME Keyring or KWallet). Otherwise set LARK_BRIDGE_SECRETS=file, or give the secret with LARK_APP_SECRET_FILE.',
    cause: error,
  });
}

function firstLine(error: unknown): string {
  return errorText(error).split('\n', 1)[0] ?? '';
}
