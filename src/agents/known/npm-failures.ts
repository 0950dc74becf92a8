/** Why npm could not install something, in words. */
import { BridgeError } from '../../core/errors.ts';
import { tailOf } from '../../text/cut.ts';

const DETAIL_CHARS_MAX = 1_000;

interface Reason {
  /** In what npm says on stderr. */
  readonly found: RegExp;
  /** After the names of the packages. */
  readonly what: string;
  readonly next: string;
}

const REASONS: readonly Reason[] = [
  {
    found: /\bE404\b|\bETARGET\b/,
    what: 'the registry does not have it',
    next: 'A mirror may not have it yet. Name another registry in npm_config_registry, and run this again.',
  },
  {
    found: /\bENOSPC\b/,
    what: 'the disk is full',
    next: 'An agent takes up to half a gigabyte. Make room, and run this again.',
  },
  {
    found: /\b(?:E401|E403|ENEEDAUTH)\b/,
    what: 'the registry refuses it',
    next: 'See `npm config get registry`, and log in there or name another one.',
  },
  {
    found: /\b(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EIDLETIMEOUT)\b/,
    what: 'the registry can not be reached',
    next: 'Check the network, the proxy and `npm config get registry`, and run this again.',
  },
  {
    found: /\b(?:EACCES|EPERM)\b/,
    what: 'npm may not write a file',
    next: 'Check who owns the state directory and the cache of npm (`npm config get cache`).',
  },
  {
    found: /code EBADENGINE\b/,
    what: 'it needs another version of Node.js',
    next: 'Install a newer Node.js, for example from https://nodejs.org, and run this again with it on the PATH.',
  },
];

export function npmFailure(packages: readonly string[], errors: string): BridgeError {
  const detail = tailOf(errors.trim(), { chars: DETAIL_CHARS_MAX });
  const reason = REASONS.find(({ found }) => found.test(errors));
  const what = reason?.what ?? 'npm failed';
  return new BridgeError('failed', `can't install ${packages.join(' and ')}: ${what}\n${detail}`, {
    next: reason?.next ?? 'The lines above say why.',
  });
}
