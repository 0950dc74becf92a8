import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AppId, LARK_ID_PATTERN, type OpenId, openId } from '../core/ids.ts';

/** Who made the bot of a state directory: Lark says so once, when the bot is made. */
export function ownerFile(stateDir: string, app: AppId) {
  const path = join(stateDir, 'owner.json');
  return {
    /** Undefined if it is not known, or known of another app only: open ids differ from app to app. */
    load(): OpenId | undefined {
      const { app_id, open_id } = read(path);
      const isOurs = app_id === app && typeof open_id === 'string' && LARK_ID_PATTERN.test(open_id);
      return isOurs ? openId(open_id) : undefined;
    },

    /** Without it the person is asked to write first, so that a full disk is no reason to fail. */
    save(owner: OpenId): void {
      try {
        // Written beside it and moved, so that no other process ever reads half of it.
        const text = `${JSON.stringify({ app_id: app, open_id: owner }, undefined, 2)}\n`;
        writeFileSync(`${path}.new`, text, { mode: 0o600 });
        renameSync(`${path}.new`, path);
      } catch (error) {
        if (!isSystemError(error)) throw error;
      }
    },
  };
}

/** A file that can't be read is as good as none. */
function read(path: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch (error) {
    if (error instanceof SyntaxError || isSystemError(error)) return {};
    throw error;
  }
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
