/** The errors with which an onboarding ends without a bot. */
import { BridgeError } from '../../core/errors.ts';
import type { AppId } from '../../core/ids.ts';

const EXISTING_APP = 'lark-bridge connect --app-id ID --app-secret-stdin';
const AGAIN = 'Run the same command again; it begins with a new link.';
/** The code is kept, so nobody who has confirmed has done so in vain. */
const GO_ON = 'Run the same command again to go on. If you have confirmed the link, that counts.';

export function accessDenied(): BridgeError {
  return new BridgeError('access_denied', 'the request was declined in Lark', {
    next: `${AGAIN} If your organisation does not let you create apps, ask its administrator.`,
  });
}

export function beginRefused({ error, detail }: { error: string; detail: string }): BridgeError {
  const code = error === 'access_denied' ? 'access_denied' : 'failed';
  return new BridgeError(code, `Lark did not begin the creation of a bot: ${detail}`, {
    next: `Try again later, or use an app from the developer console: ${EXISTING_APP}`,
  });
}

export function grantRefused({ detail }: { detail: string }): BridgeError {
  return new BridgeError('failed', `Lark ended the creation of the bot: ${detail}`, {
    next: AGAIN,
  });
}

export function codesRefused(): BridgeError {
  return new BridgeError('expired', 'Lark says at once that every new code has expired', {
    next: 'Check the clock of this machine, and try again in some minutes.',
  });
}

export function grantTimedOut(timeoutMs: number, lastProblem?: string): BridgeError {
  const trouble = lastProblem === undefined ? '' : ` (last problem: ${lastProblem})`;
  return new BridgeError(
    'timed_out',
    `nobody confirmed within ${Math.round(timeoutMs / 1000)} s${trouble}`,
    { next: `${GO_ON} --timeout SEC gives more time.` },
  );
}

/** The process that waited for it ended at the wrong moment. */
export function codeUsed(): BridgeError {
  return new BridgeError(
    'expired',
    'the link of the last `connect` was used, but the secret of the new bot did not get here',
    {
      next: `Look for the bot in the developer console and give its App ID and App Secret: ${EXISTING_APP}. Or run the same command again for another bot, and delete that one.`,
    },
  );
}

export function otherApp(made: AppId, wanted: AppId): BridgeError {
  return new BridgeError('failed', `Lark made another app, ${made}, and ${wanted} is as it was`, {
    next: `Delete ${made} in the developer console, and grant the permissions there: see \`lark-bridge doctor\`.`,
  });
}

export function secretMissing(): BridgeError {
  return new BridgeError('expired', 'the bot was confirmed, but Lark did not give its secret', {
    next: `Look for the bot in the developer console and give its App ID and App Secret: ${EXISTING_APP}`,
  });
}

export function secretRefused(detail: string): BridgeError {
  return new BridgeError('credentials_refused', `Lark refused the app id and secret: ${detail}`, {
    next: 'Copy both again from the developer console (Credentials & Basic Info), and check --brand.',
  });
}

export function hostUnreachable(baseUrl: string, detail: string): BridgeError {
  return new BridgeError('unreachable', `can't reach ${baseUrl}: ${detail}`, {
    next: 'Check the network; behind a proxy, set HTTPS_PROXY. Then run the same command again.',
  });
}

export function interrupted(): BridgeError {
  return new BridgeError('interrupted', 'interrupted; nothing was stored', { next: GO_ON });
}
