/** Loads the official SDK. Only this file imports it, and only when it is first needed. */
import { createRequire } from 'node:module';
import type * as Sdk from '@larksuiteoapi/node-sdk';
import { headOf } from '../text/cut.ts';
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
 * The first call takes about 0.25 s and 37 MB. It uses `require`: the package has no `exports` map, so an
 * `import` takes twice as long and 35 MB more.
 */
export function loadSdk(): typeof Sdk {
  return require('@larksuiteoapi/node-sdk') as typeof Sdk;
}

type SdkLogger = Readonly<Record<keyof Sdk.Logger, (...parts: unknown[]) => void>>;

/**
 * The SDK's log lines without secrets and messages. Its errors hold request bodies with tokens and the app
 * secret, and its texts quote events, so only the beginning of a text and ids are logged. Its debug level
 * prints whole events and the address with the ticket, so it is never logged.
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
  // These lines must not be logged, not even in part.
}

function sdkFields(parts: readonly unknown[]): Record<string, string> {
  const fields: Record<string, string> = {};
  const texts: string[] = [];
  for (const part of parts.flat(2)) {
    if (typeof part !== 'string') {
      fields['thrown'] = part instanceof Error ? part.name : typeof part;
      continue;
    }
    // The text after the first colon or line may quote a message.
    texts.push(/^[^:\n]*/.exec(part)?.[0] ?? '');
    for (const [, name, id] of part.matchAll(/\b(message_id|trace_id): ([\w-]{1,128})/g)) {
      if (name !== undefined && id !== undefined) fields[name] = id;
    }
  }
  fields['text'] = headOf(texts.join(' '), { chars: TEXT_CHARS_MAX });
  return fields;
}
