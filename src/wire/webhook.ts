/** How a receiver of a webhook knows that a call is from this bridge. */
import { createHmac, hkdfSync } from 'node:crypto';

export const WEBHOOK_HEADERS = {
  /** `t=SECONDS,v1=HEX`: the time, and a signature of it and of the body. */
  signature: 'x-lark-bridge-signature',
  /** The same for each try to tell the same thing. */
  id: 'x-lark-bridge-id',
  event: 'x-lark-bridge-event',
} as const;

/** The secret of one webhook. `root`: the one secret of the state directory, from which nobody can go back. */
export function webhookSecret(root: string, webhook: string): string {
  const key = hkdfSync('sha256', root, '', `lark-bridge webhook ${webhook}`, 32);
  return `whsec_${Buffer.from(key).toString('base64url')}`;
}

export function webhookSignature(secret: string, atSecs: number, body: string): string {
  const signature = createHmac('sha256', secret).update(`${atSecs}.${body}`).digest('hex');
  return `t=${atSecs},v1=${signature}`;
}
