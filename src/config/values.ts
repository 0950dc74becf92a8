/** How the raw value of a setting is parsed and checked, for each kind of value. */
import { accessSync, constants } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { errorText } from '../core/errors.ts';
import { APP_ID_PATTERN, LARK_ID_PATTERN } from '../core/ids.ts';
import { Secret } from '../core/secret.ts';
import { isTimeZone } from '../time/local-day.ts';
import { minuteOfDay } from '../time/time-of-day.ts';

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  /** `problem` completes the sentence "NAME …". */
  | { readonly ok: false; readonly problem: string };

/** Reads a value of one kind. */
export interface ValueParser<T> {
  (raw: string, bases: PathBases): Parsed<T>;
  /** All values that there are, in lower case. */
  readonly choices?: readonly string[];
  /** The bounds of a whole number. */
  readonly range?: Range;
}

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** The folders that a path may be relative to. */
export interface PathBases {
  readonly home: string;
  readonly stateDir: string;
}

const SOCKET_PATH_BYTES_MAX = 100;

const ok = <T>(value: T): Parsed<T> => ({ ok: true, value });
const bad = (problem: string) => ({ ok: false, problem }) as const;

export function oneOf<const T extends string>(choices: readonly T[]): ValueParser<T> {
  const parse = (raw: string): Parsed<T> => {
    const found = choices.find((choice) => choice === raw.toLowerCase());
    return found === undefined ? bad(notOneOf(choices)) : ok(found);
  };
  return Object.assign(parse, { choices });
}

/** Completes the sentence "NAME …". */
export function notOneOf(choices: readonly string[]): string {
  return `must be one of ${choices.join(', ')}`;
}

/** Completes the sentence "NAME …". */
export function notInRange({ min, max }: Range): string {
  return `must be a whole number from ${min} to ${max}`;
}

/** Letters and digits would make a command of an ordinary word. */
export function commandPrefix(raw: string): Parsed<string> {
  return /^[\p{P}\p{S}]{1,3}$/u.test(raw)
    ? ok(raw)
    : bad('must be 1 to 3 signs without letters, digits and spaces, such as / or !');
}

export function wholeNumber(min: number, max: number): ValueParser<number> {
  const range = { min, max };
  const parse = (raw: string): Parsed<number> => {
    const value = Number(raw);
    return /^\d{1,15}$/.test(raw) && value >= min && value <= max
      ? ok(value)
      : bad(notInRange(range));
  };
  return Object.assign(parse, { range });
}

/** The minute of the day. */
export function timeOfDay(raw: string): Parsed<number> {
  const minute = minuteOfDay(raw);
  return minute === undefined ? bad('must be a time of day, such as 18:00') : ok(minute);
}

export function timeZone(raw: string): Parsed<string> {
  return isTimeZone(raw) ? ok(raw) : bad('must be a time zone, such as Asia/Shanghai or UTC');
}

export function path(raw: string, { home, stateDir }: PathBases): Parsed<string> {
  if (raw.includes('\0')) return bad('must be a path');
  if (raw === '~' || raw.startsWith('~/')) return ok(join(home, raw.slice(1)));
  const inState = /^<state-dir>\/(.+)$/.exec(raw)?.[1];
  if (inState !== undefined) return ok(join(stateDir, inState));
  return ok(isAbsolute(raw) ? raw : resolve(raw));
}

/** The system cuts a longer path without an error, and could then use another socket. */
export function socketPath(raw: string, bases: PathBases): Parsed<string> {
  const parsed = path(raw, bases);
  if (!parsed.ok || Buffer.byteLength(parsed.value) <= SOCKET_PATH_BYTES_MAX) return parsed;
  return bad(`must be a path of at most ${SOCKET_PATH_BYTES_MAX} bytes`);
}

export function readableFile(raw: string, bases: PathBases): Parsed<string> {
  const parsed = path(raw, bases);
  if (!parsed.ok) return parsed;
  try {
    accessSync(parsed.value, constants.R_OK);
  } catch (error) {
    return bad(`names a file that can't be read (${errorText(error)})`);
  }
  return parsed;
}

/** An http(s) address without a slash at its end, so that a path can follow. */
export function baseUrl(raw: string): Parsed<string> {
  const url = URL.canParse(raw) ? new URL(raw) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.hostname === '') {
    return bad('must be a URL that begins with https:// or http://');
  }
  if (url.username !== '' || url.password !== '') return bad('must not contain a user or password');
  if (url.search !== '' || url.hash !== '') return bad('must not contain a query or fragment');
  return ok(`${url.origin}${url.pathname.replace(/\/+$/, '')}`);
}

export function proxyUrl(raw: string): Parsed<string> {
  // The usual short form, which curl and other programs accept too.
  const url = /^[\w.-]+:\d+$/.test(raw) ? `http://${raw}` : raw;
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)
    ? ok(url)
    : bad('must be the URL of an HTTP proxy, http://host:port');
}

/** Also a SOCKS proxy: desktops set one here, and an HTTP proxy in the other variables. */
export function allProxyUrl(raw: string): Parsed<string> {
  return isSocksUrl(raw) ? ok(raw) : proxyUrl(raw);
}

export function isSocksUrl(raw: string): boolean {
  return URL.canParse(raw) && /^socks\w*:$/.test(new URL(raw).protocol);
}

export function host(raw: string): Parsed<string> {
  const bare = /^\[([0-9a-fA-F:.]+)\]$/.exec(raw)?.[1] ?? raw;
  return /^[\w.:%-]+$/.test(bare) ? ok(bare) : bad('must be a host name or an IP address');
}

/** Names without ports, in lower case. */
export function hostNames(raw: string): Parsed<readonly string[]> {
  const names = raw.split(',').map((name) => name.trim().toLowerCase());
  return names.every((name) => /^[\w.-]+$/.test(name))
    ? ok(names)
    : bad('must be host names without ports, separated by commas');
}

/** An address to listen on. An IPv6 address is in brackets. */
export function hostPort(raw: string): Parsed<string> {
  const port = /^(?:\[[0-9a-fA-F:.]+\]|[\w.-]+):(\d{1,5})$/.exec(raw)?.[1];
  return port !== undefined && Number(port) <= 65_535
    ? ok(raw)
    : bad('must be host:port, such as 127.0.0.1:9464');
}

export function appId(raw: string): Parsed<string> {
  return APP_ID_PATTERN.test(raw)
    ? ok(raw)
    : bad(
        'must be `cli_` and 16 hexadecimal digits (Lark’s SDK does nothing with any other app id)',
      );
}

export function id(raw: string): Parsed<string> {
  return LARK_ID_PATTERN.test(raw) ? ok(raw) : bad('must be letters, digits, `_` and `-` only');
}

export function ids(raw: string): Parsed<readonly string[]> {
  const all = raw.split(',').map((one) => one.trim());
  return all.every((one) => LARK_ID_PATTERN.test(one))
    ? ok(all)
    : bad('must be ids of workspaces, separated by commas');
}

export function larkId(prefix: string) {
  return (raw: string): Parsed<string> =>
    raw.startsWith(prefix) && LARK_ID_PATTERN.test(raw)
      ? ok(raw)
      : bad(`must begin with ${prefix}`);
}

export function secret(raw: string): Parsed<Secret> {
  // Other characters can't be in an HTTP header, so they are a copying mistake.
  return /^[\x21-\x7e]+$/.test(raw)
    ? ok(new Secret(raw))
    : bad('contains spaces or other characters that no secret has');
}

export function text(raw: string): Parsed<string> {
  return /\p{Cc}/u.test(raw) ? bad('must not contain control characters') : ok(raw);
}

export function yes(): Parsed<boolean> {
  return ok(true);
}
