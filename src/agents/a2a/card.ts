/** The card of an agent: what it says about itself and where it takes messages. */
import { asObject, isObject, type Json } from '../../core/json-object.ts';

/** How messages reach the agent. */
interface AgentAddress {
  readonly url: string;
  readonly binding: 'JSONRPC' | 'HTTP+JSON';
  readonly version: '1.0' | '0.3';
  readonly tenant: string;
}

export interface AgentCard {
  readonly address: AgentAddress;
  /** It tells what it does while it works. */
  readonly streams: boolean;
}

/** The reasons are in `src/bridge/texts/reasons.ts` too, in Chinese. */
type CardTrouble =
  | 'it is no card of an agent'
  | 'it names no address that speaks A2A 1.0 or 0.3'
  | 'it names an address that may not be used';

/** The best address of a card comes first: the newer version, and JSON-RPC, which more agents speak. */
const RANKS: readonly Pick<AgentAddress, 'version' | 'binding'>[] = [
  { version: '1.0', binding: 'JSONRPC' },
  { version: '1.0', binding: 'HTTP+JSON' },
  { version: '0.3', binding: 'JSONRPC' },
  { version: '0.3', binding: 'HTTP+JSON' },
];

/**
 * Reads a card of any version. `cardUrl`: where it was found. An address of another host must be protected, because
 * it gets what people write and the token.
 */
export function parseCard(
  raw: unknown,
  cardUrl: URL,
): { readonly ok: true; readonly card: AgentCard } | { readonly ok: false; why: CardTrouble } {
  const said = asObject(raw);
  if (said === undefined || typeof said['name'] !== 'string') {
    return { ok: false, why: 'it is no card of an agent' };
  }
  const known = addressesOf(said, cardUrl);
  if (known.length === 0) {
    return { ok: false, why: 'it names no address that speaks A2A 1.0 or 0.3' };
  }
  const [address] = known
    .filter(({ url }) => isSafe(new URL(url), cardUrl))
    .toSorted((one, other) => rankOf(one) - rankOf(other));
  if (address === undefined) return { ok: false, why: 'it names an address that may not be used' };
  return {
    ok: true,
    card: { address, streams: asObject(said['capabilities'])?.['streaming'] === true },
  };
}

function isSafe(url: URL, cardUrl: URL): boolean {
  if (url.username !== '' || url.password !== '') return false;
  return url.origin === cardUrl.origin || url.protocol === 'https:';
}

function rankOf(address: AgentAddress): number {
  return RANKS.findIndex(
    ({ version, binding }) => version === address.version && binding === address.binding,
  );
}

function addressesOf(card: Json, cardUrl: URL): AgentAddress[] {
  const listed = objectsIn(card['supportedInterfaces']);
  const all = listed.length > 0 ? listed : oldAddressesOf(card);
  return all.flatMap((one) => addressOf(one, cardUrl) ?? []);
}

/** Before 1.0 a card had one main address, and others beside it. */
function oldAddressesOf(card: Json): Json[] {
  const { url, preferredTransport = 'JSONRPC', protocolVersion = '0.3' } = card;
  const main = { url, protocolBinding: preferredTransport, protocolVersion };
  const others = objectsIn(card['additionalInterfaces']).map(({ url: other, transport }) => ({
    url: other,
    protocolBinding: transport,
    protocolVersion,
  }));
  return [main, ...others];
}

function addressOf(raw: Json, cardUrl: URL): AgentAddress | undefined {
  const { url, protocolBinding: binding, protocolVersion, tenant } = raw;
  const version = versionOf(protocolVersion);
  if (typeof url !== 'string' || version === undefined) return undefined;
  if (binding !== 'JSONRPC' && binding !== 'HTTP+JSON') return undefined;
  // Some cards name a path only.
  const found = URL.canParse(url, cardUrl.href) ? new URL(url, cardUrl.href) : undefined;
  if (found === undefined || !/^https?:$/.test(found.protocol)) return undefined;
  return { url: found.href, binding, version, tenant: typeof tenant === 'string' ? tenant : '' };
}

/** Versions before 0.3 have the same methods. */
function versionOf(raw: unknown): AgentAddress['version'] | undefined {
  const major = typeof raw === 'string' ? /^(\d+)(?:\.|$)/.exec(raw.trim())?.[1] : undefined;
  if (major === '1') return '1.0';
  return major === '0' ? '0.3' : undefined;
}

function objectsIn(raw: unknown): Json[] {
  return Array.isArray(raw) ? raw.filter(isObject) : [];
}
