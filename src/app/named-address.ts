/** The address of an agent elsewhere, as a person named it on the command line. */
import type { A2aSpec } from '../agents/runtime.ts';
import { BridgeError } from '../core/errors.ts';
import { addressRefusal, NOT_PUBLIC, untilFoundPublic } from '../net/public-addresses.ts';

/** Whoever names a private address means it. Throws `usage` for what is no address of the web. */
export async function namedAddress(typed: string): Promise<Pick<A2aSpec, 'url' | 'isPrivate'>> {
  const url = URL.canParse(typed) ? new URL(typed) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new BridgeError('usage', `${typed} is not the address of an agent`, {
      next: 'Give it as in: --a2a https://agent.example.com',
    });
  }
  if (url.username !== '' || url.password !== '') {
    throw new BridgeError('usage', 'the address of an agent must not hold a password', {
      next: 'Put the token into a variable of the environment of lark-bridge, and name that with --token-env.',
    });
  }
  return { url: url.href, ...((await isPrivate(url.hostname)) && { isPrivate: true }) };
}

async function isPrivate(host: string): Promise<boolean> {
  if (addressRefusal(host) !== undefined) return true;
  try {
    await untilFoundPublic(host);
    return false;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== NOT_PUBLIC) throw error;
    return true;
  }
}
