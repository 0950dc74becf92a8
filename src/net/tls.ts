import type { ConnectionOptions } from 'node:tls';

/** To trust one certificate alone, whatever name it carries: for a server of our own on this machine. */
export function trustOnly(
  certificatePem: string,
): Pick<ConnectionOptions, 'ca' | 'checkServerIdentity'> {
  return { ca: certificatePem, checkServerIdentity: () => undefined };
}
