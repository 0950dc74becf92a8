/** The operating system's keyring, through a package that people install only if they want it. */
import { BridgeError, errorText } from '../core/errors.ts';
import type { AppId } from '../core/ids.ts';
import { Secret } from '../core/secret.ts';

/** All throw `store_unavailable` if the keyring is locked or not there. */
export interface Keyring {
  /** Only looks whether it can be used. */
  check(): void;
  /** The secret that was kept for an app. */
  read(app: AppId): Secret | undefined;
  keep(app: AppId, secret: Secret): void;
}

const PACKAGE = '@napi-rs/keyring';
/** What it is called in the keyring, beside the app's id. */
const SERVICE = 'lark-bridge';
/**
 * Without a Secret Service the package would take the kernel's keyring, which forgets everything at a
 * reboot: then it is better not to begin. Other systems have one keyring only.
 */
const OPTIONS = { linux: { store: 'secret-service' } } as const;

/** Throws `config_invalid` if the package is not installed. */
export async function openKeyring(): Promise<Keyring> {
  const { Entry } = await load();
  const asked = <T>(name: string, work: (entry: InstanceType<typeof Entry>) => T): T => {
    try {
      return work(new Entry(SERVICE, name, OPTIONS));
    } catch (error) {
      // Foreign code, which throws plain errors only.
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
        next: `Install it beside lark-bridge (\`npm install --global ${PACKAGE}\`), or set LARK_BRIDGE_SECRETS=file.`,
        cause: error,
      },
    );
  }
}

function unusable(error: unknown): BridgeError {
  return new BridgeError('store_unavailable', `the keyring can't be used: ${firstLine(error)}`, {
    next: 'Unlock it, or run this where it is (on Linux: a desktop session with a Secret Service, such as GNOME Keyring or KWallet). Elsewhere set LARK_BRIDGE_SECRETS=file, or hand the secret over with LARK_APP_SECRET_FILE.',
    cause: error,
  });
}

function firstLine(error: unknown): string {
  return errorText(error).split('\n', 1)[0] ?? '';
}
