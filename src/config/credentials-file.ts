/** Where credentials.json is, whether it may be used, and what a command sees of it that does not call Lark. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { BRANDS } from '../core/brand.ts';
import { isSystemError } from '../core/errors.ts';
import { APP_ID_PATTERN } from '../core/ids.ts';
import { parseJsonObject } from '../files/json-text.ts';
import { secretTrouble } from '../files/rights.ts';

/** Other characters can't be in an HTTP header, so they are a copying mistake. */
export const APP_SECRET_PATTERN = /^[\x21-\x7e]+$/;

export function credentialsPath(stateDir: string): string {
  return join(stateDir, 'credentials.json');
}

/** Whose the file is, and who may read it, if that is not as it should be. */
export function credentialsTrouble(stateDir: string): ReturnType<typeof secretTrouble> {
  const path = credentialsPath(stateDir);
  return secretTrouble(path, statSync(path), statSync(stateDir).uid);
}

interface Glance {
  readonly stored: Readonly<Record<string, string>>;
  /** Other users may read the file. */
  readonly warning?: string;
}

/**
 * The fields of the file, or none if it can't be used. A command that only looks needs no reason for that, and
 * the checker of the schema takes longer to load than such a command to run.
 */
export function glanceAtCredentials(stateDir: string): Glance {
  const path = credentialsPath(stateDir);
  try {
    const trouble = credentialsTrouble(stateDir);
    if (trouble?.kind === 'foreign') return { stored: {} };
    const stored = usableFields(parseJsonObject(readFileSync(path, 'utf8')));
    if (trouble === undefined || stored === undefined) return { stored: stored ?? {} };
    return { stored, warning: `${path}: ${trouble.what}. ${trouble.next}` };
  } catch (error) {
    if (error instanceof SyntaxError || isSystemError(error)) return { stored: {} };
    throw error;
  }
}

function usableFields(fields: Readonly<Record<string, unknown>>) {
  const { app_id: id, app_secret: secret, tenant_brand: brand = 'feishu' } = fields;
  const isUsable =
    isLike(id, APP_ID_PATTERN) &&
    (secret === undefined || isLike(secret, APP_SECRET_PATTERN)) &&
    BRANDS.some((one) => one === brand);
  if (!isUsable) return undefined;
  const kept = secret === undefined ? {} : { app_secret: secret };
  return { app_id: id, tenant_brand: String(brand), ...kept };
}

function isLike(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value);
}
