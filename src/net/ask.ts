/** One small GET to a server of our own on this machine, without the HTTP client and its connections. */
import type { IncomingMessage } from 'node:http';
import { asObject } from '../core/json-object.ts';

interface Bounds {
  readonly timeoutMs: number;
  readonly bytesMax: number;
  /** The only certificate to trust, if the address is one of https. The name in it is not checked. */
  readonly certificatePem?: string | undefined;
}

/** The JSON object at an address; undefined if none comes in time, whatever the reason. */
export async function askOwnServer(
  url: string,
  bounds: Bounds,
): Promise<Record<string, unknown> | undefined> {
  const text = await textAt(url, bounds);
  try {
    return text === undefined ? undefined : asObject(JSON.parse(text));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}

async function textAt(
  url: string,
  { timeoutMs, bytesMax, certificatePem: ca }: Bounds,
): Promise<string | undefined> {
  const isSecure = url.startsWith('https:');
  const { get } = isSecure ? await import('node:https') : await import('node:http');
  return new Promise((resolve) => {
    const options = { signal: AbortSignal.timeout(timeoutMs), agent: false };
    const trust = isSecure && ca !== undefined ? { ca, checkServerIdentity: () => undefined } : {};
    const nothing = () => resolve(undefined);
    const read = (answer: IncomingMessage) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      answer.on('error', nothing);
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > bytesMax) answer.destroy();
        else chunks.push(chunk);
      });
      answer.on('close', () =>
        resolve(answer.complete ? Buffer.concat(chunks).toString() : undefined),
      );
    };
    get(url, { ...options, ...trust }, read).on('error', nothing);
  });
}
