import type { ConnectionOptions } from 'node:tls';

/** Trusts only this certificate, for a server of our own on this machine. The name in it is not checked. */
export function trustOnly(
  certificatePem: string,
): Pick<ConnectionOptions, 'ca' | 'checkServerIdentity'> {
  return { ca: certificatePem, checkServerIdentity: () => undefined };
}
