/**
 * The names by which a server lets itself be called. A web page can make the name of its own site lead to this
 * machine, and its browser then takes our answers for those of that site. It can't do so with an address or with
 * `localhost`.
 */
import { isIP } from 'node:net';

/** True if a `Host` header names this server. Other ports are taken: a container or a proxy may map them. */
export function isOwnHost(header: string | undefined, names: readonly string[]): boolean {
  // Only HTTP/1.0 has none, and browsers don't speak it.
  if (header === undefined) return true;
  const bare = /^\[([^\]]*)\](?::\d*)?$|^([^:]*)(?::\d*)?$/.exec(header);
  const name = (bare?.[1] ?? bare?.[2] ?? '').toLowerCase().replace(/\.$/, '');
  return (
    isIP(name) !== 0 || name === 'localhost' || names.some((own) => own.toLowerCase() === name)
  );
}
