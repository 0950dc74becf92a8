/** The official SDK: the only import of it, loaded when it is first needed. */
import { createRequire } from 'node:module';
import type * as Sdk from '@larksuiteoapi/node-sdk';
import { headOf } from '../core/cut.ts';
import type { Log } from '../core/log.ts';

export type {
  Client,
  EventDispatcher,
  HttpInstance,
  HttpRequestOptions,
  Logger,
  WSClient,
} from '@larksuiteoapi/node-sdk';

/** Appears in the user agent of the SDK's requests. */
export const SDK_SOURCE = 'lark-bridge';

const require = createRequire(import.meta.url);

/**
 * About 0.25 s and 37 MB at the first call. `require` and not `import`: without an `exports` map an
 * import of the package takes twice as long and 35 MB more.
 */
export function loadSdk(): typeof Sdk {
  return require('@larksuiteoapi/node-sdk') as typeof Sdk;
}

type SdkLogger = Readonly<Record<keyof Sdk.Logger, (...parts: unknown[]) => void>>;

/**
 * The SDK's log lines, without what must not be logged: its errors hold bodies of requests with tokens
 * and the app secret, and its texts quote events. So only the head of a text passes, and ids.
 * Its debug level prints whole events and the address with the ticket: never passed on.
 */
export function sdkLogger(log: Log): SdkLogger {
  return {
    error: (...parts: unknown[]) => log.warn('lark_sdk_complained', sdkFields(parts)),
    warn: (...parts: unknown[]) => log.debug('lark_sdk_warned', sdkFields(parts)),
    info: (...parts: unknown[]) => log.debug('lark_sdk_reported', sdkFields(parts)),
    debug: drop,
    trace: drop,
  };
}

const TEXT_CHARS_MAX = 160;

function drop(): void {
  // Must not be logged, not even redacted.
}

function sdkFields(parts: readonly unknown[]): Record<string, string> {
  const fields: Record<string, string> = {};
  const texts: string[] = [];
  for (const part of parts.flat(2)) {
    if (typeof part !== 'string') {
      fields['thrown'] = part instanceof Error ? part.name : typeof part;
      continue;
    }
    // Everything after the first colon or line may quote what somebody wrote.
    texts.push(/^[^:\n]*/.exec(part)?.[0] ?? '');
    for (const [, name, id] of part.matchAll(/\b(message_id|trace_id): ([\w-]{1,128})/g)) {
      if (name !== undefined && id !== undefined) fields[name] = id;
    }
  }
  fields['text'] = headOf(texts.join(' '), { chars: TEXT_CHARS_MAX });
  return fields;
}
