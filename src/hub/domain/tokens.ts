import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { Secret } from '../../core/secret.ts';

/** The first letters of a token show what it is for: a workspace, an agent, or making workspaces. */
const PREFIX = { workspace: 'lw_', agent: 'lr_', provision: 'lpt_' } as const;

export function createToken(purpose: keyof typeof PREFIX): Secret {
  return new Secret(PREFIX[purpose] + randomBytes(32).toString('hex'));
}

/** The only form in which a token is stored. Tokens are random, so a plain hash is enough. */
export function tokenHash(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** Takes the same time wherever the hashes differ, so that the time tells nothing about a token. */
export function sameHash(one: string, other: string): boolean {
  const a = Buffer.from(one, 'hex');
  const b = Buffer.from(other, 'hex');
  return a.length === b.length && timingSafeEqual(a, b);
}
