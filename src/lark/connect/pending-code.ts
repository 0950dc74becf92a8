/** A code that a person may confirm while no process waits for it. The next `connect` goes on with it. */
import type { Json } from '../../core/json-object.ts';
import { Secret } from '../../core/secret.ts';
import type { DeviceCode } from './registration.ts';

export interface PendingCode {
  readonly code: DeviceCode;
  readonly expiresAtMs: number;
  /** The accounts service that gave the code. Another one does not know it. */
  readonly accountsUrl: string;
}

/** Keeps one code. */
export interface PendingCodes {
  load(): PendingCode | undefined;
  keep(pending: PendingCode): void;
  forget(): void;
}

/** For a private file: with the device code anybody can fetch the app's secret. */
export function recordOf({ code, expiresAtMs, accountsUrl }: PendingCode): Json {
  return {
    accounts_url: accountsUrl,
    device_code: code.deviceCode.reveal(),
    user_code: code.userCode,
    server_url: code.serverUrl.href,
    interval_ms: code.intervalMs,
    lifetime_ms: code.lifetimeMs,
    expires_at_ms: expiresAtMs,
  };
}

/** Undefined if the record holds no code. */
export function parsePendingCode(record: Json): PendingCode | undefined {
  const accountsUrl = record['accounts_url'];
  const deviceCode = record['device_code'];
  const userCode = record['user_code'];
  const serverUrl = record['server_url'];
  const intervalMs = record['interval_ms'];
  const lifetimeMs = record['lifetime_ms'];
  const expiresAtMs = record['expires_at_ms'];
  const isComplete =
    typeof accountsUrl === 'string' &&
    typeof deviceCode === 'string' &&
    typeof userCode === 'string' &&
    typeof serverUrl === 'string' &&
    URL.canParse(serverUrl) &&
    typeof intervalMs === 'number' &&
    typeof lifetimeMs === 'number' &&
    typeof expiresAtMs === 'number';
  if (!isComplete) return undefined;
  return {
    code: {
      deviceCode: new Secret(deviceCode),
      userCode,
      serverUrl: new URL(serverUrl),
      intervalMs,
      lifetimeMs,
    },
    expiresAtMs,
    accountsUrl,
  };
}
