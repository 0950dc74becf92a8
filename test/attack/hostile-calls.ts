/** Calls of the turn contract as a hostile caller makes them: right ones, spoiled ones, and plain noise. */
import {
  chance,
  hostileJson,
  hostileNumber,
  hostileText,
  pick,
  type Random,
} from './hostile-values.ts';

export interface Account {
  readonly id: string;
  readonly token: string;
}

/** What the adversary knows. It is more than a stranger would. */
export interface Knowledge {
  /** Accounts that it has: workspaces, and the key of an agent. */
  readonly own: readonly Account[];
  /** Whom it would like to read or to be. */
  readonly others: readonly string[];
  /** Agents that the hub runs. */
  readonly agents: readonly string[];
  /** Turns of others. */
  readonly queueIds: readonly string[];
}

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** Makes up a call. `by` is the account that it is made with. */
export function hostileCall(random: Random, known: Knowledge): Call {
  const by = pick(random, known.own);
  const call = pick(random, CALLS)(random, known, by);
  return { ...call, headers: { ...call.headers, ...spoiledHeaders(random, known, by) } };
}

type MakeCall = (random: Random, known: Knowledge, by: Account) => Call;

const CALLS: readonly MakeCall[] = [
  (random, known, by) => get(by, `/registry/${anyId(random, known, by)}/peers`),
  (random, known, by) => get(by, `/registry/discover/${anyId(random, known, by)}`),
  (random, known, by) => get(by, `/workspaces/${anyId(random, known, by)}/state`),
  (random, known, by) =>
    get(by, `/workspaces/${anyId(random, known, by)}/activity?${anyQuery(random)}`),
  (random, known, by) => {
    const turn = chance(random, 0.7) ? pick(random, ['x', ...known.queueIds]) : anyPart(random);
    const wait = pick(random, ['', '?wait_secs=0', '?wait_secs=1e9', '?wait_secs=-1']);
    return get(by, `/workspaces/${anyId(random, known, by)}/a2a/queue/${turn}${wait}`);
  },
  (random, known, by) => ({
    ...get(by, `/workspaces/${anyId(random, known, by)}/a2a/messages/${anyPart(random)}`),
    method: 'DELETE',
  }),
  (random, known, by) => post(by, '/registry/register', registration(random, known, by)),
  (random, known, by) => post(by, '/registry/heartbeat', card(random, known, by)),
  (random, known, by) => post(by, '/registry/update-card', card(random, known, by)),
  (random, known, by) =>
    post(by, `/workspaces/${anyId(random, known, by)}/activity`, report(random)),
  (random, known, by) =>
    post(
      by,
      `/workspaces/${anyId(random, known, by)}/activity/ack`,
      spoiled(random, { acked_seq: hostileNumber(random) }),
    ),
  (random, known, by) => post(by, `/workspaces/${anyId(random, known, by)}/notify`, notice(random)),
  a2a,
  a2a,
  a2a,
  (random, _known, by) => get(by, pick(random, ['/health', '/health/live', '/metrics', '/'])),
  (random, _known, by) => ({
    ...get(by, `/${pick(random, ['registry', 'workspaces', 'webhook', '..'])}/${anyPart(random)}`),
    method: pick(random, ['GET', 'PUT', 'PATCH', 'OPTIONS', 'HEAD', 'DELETE', 'POST']),
  }),
];

function get(by: Account, path: string): Call {
  return { method: 'GET', path, headers: asCaller(by), body: undefined };
}

function post(by: Account, path: string, body: string): Call {
  const headers = { ...asCaller(by), 'Content-Type': 'application/json' };
  return { method: 'POST', path, headers, body };
}

function asCaller({ id, token }: Account): Record<string, string> {
  return { Authorization: `Bearer ${token}`, 'X-Workspace-ID': id };
}

function anyId(random: Random, known: Knowledge, by: Account): string {
  const kind = random();
  if (kind < 0.75) return by.id;
  if (kind < 0.92) return pick(random, [...known.others, ...known.agents]);
  return anyPart(random);
}

function anyPart(random: Random): string {
  const text = Buffer.from(hostileText(random, 2_000)).toString();
  return chance(random, 0.9) ? encodeURIComponent(text) : '%ZZ/..%2f';
}

function anyQuery(random: Random): string {
  const names = ['type', 'include', 'source', 'peer_id', 'limit', 'since_id', 'before_ts'];
  const parts = Array.from({ length: Math.floor(random() * 4) }, () => {
    const name = pick(random, [...names, 'since_secs']);
    const value = pick(random, ['a2a_receive', 'peer_info', '1', '500', '-1', '1e9', 'NEVER']);
    return `${name}=${value === 'NEVER' ? anyPart(random) : value}`;
  });
  return parts.join('&');
}

/** An object of JSON texts, of which now and then one is replaced, lost, or the whole is no object. */
function spoiled(random: Random, members: Readonly<Record<string, string>>): string {
  if (chance(random, 0.03))
    return pick(random, ['', '{', '[]', 'null', '"x"', '{"a":1}}', '\u0000']);
  const kept = Object.entries(members).flatMap(([name, json]) => {
    if (chance(random, 0.03)) return [];
    return [`${JSON.stringify(name)}:${chance(random, 0.06) ? hostileJson(random) : json}`];
  });
  if (chance(random, 0.1)) kept.push(`"__proto__":${hostileJson(random)}`);
  return `{${kept.join(',')}}`;
}

const text = (random: Random, charsMax?: number) => JSON.stringify(hostileText(random, charsMax));

/** Mostly one that is taken, up to its longest. */
function key(random: Random): string {
  if (chance(random, 0.2)) return text(random, 300);
  const start = `${Math.floor(random() * 1e6)}é😀'/%`;
  return JSON.stringify(start.padEnd(pick(random, [1, 100, 101, 256]), '語'));
}

function anyCard(random: Random): string {
  return spoiled(random, { name: text(random, 300), skills: '[]', more: hostileJson(random) });
}

function registration(random: Random, known: Knowledge, by: Account): string {
  return spoiled(random, {
    id: JSON.stringify(anyId(random, known, by)),
    agent_card: anyCard(random),
    delivery_mode: '"poll"',
  });
}

function card(random: Random, known: Knowledge, by: Account): string {
  return spoiled(random, {
    workspace_id: JSON.stringify(anyId(random, known, by)),
    agent_card: anyCard(random),
  });
}

function report(random: Random): string {
  return spoiled(random, {
    activity_type: '"agent_log"',
    method: text(random),
    summary: text(random),
    status: text(random),
    error_detail: text(random),
    duration_ms: hostileNumber(random),
    request_body: hostileJson(random),
    response_body: hostileJson(random),
    tool_trace: hostileJson(random),
  });
}

function notice(random: Random): string {
  return spoiled(random, {
    message: text(random),
    attachments: chance(random, 0.5) ? '[]' : hostileJson(random),
    ...(chance(random, 0.5) && { lark: larkPlace(random) }),
  });
}

function larkPlace(random: Random): string {
  const place = pick(random, ['chat_id', 'open_id', 'email']);
  const files = [
    {
      name: hostileText(random, 300),
      ...(chance(random, 0.5) && { mime_type: hostileText(random, 300) }),
      base64: pick(random, ['aGk=', 'aGk', '', '*']),
    },
  ];
  return spoiled(random, {
    [place]: chance(random, 0.6)
      ? pick(random, ['"oc_boss"', '"ou_boss"', '"boss@example.com"'])
      : text(random, 300),
    ...(chance(random, 0.1) && { open_id: text(random, 300) }),
    ...(chance(random, 0.3) && { card: hostileJson(random) }),
    ...(chance(random, 0.4) && {
      files: chance(random, 0.7) ? JSON.stringify(files) : hostileJson(random),
    }),
  });
}

function a2a(random: Random, known: Knowledge, by: Account): Call {
  const target = chance(random, 0.9)
    ? pick(random, [...known.agents, ...known.others, ...known.own.map(({ id }) => id)])
    : anyId(random, known, by);
  const message = spoiled(random, {
    role: '"user"',
    messageId: key(random),
    contextId: key(random),
    parts: chance(random, 0.8) ? `[{"kind":"text","text":${text(random)}}]` : hostileJson(random),
    ...(chance(random, 0.3) && {
      referenceTaskIds: JSON.stringify([pick(random, [...known.queueIds, 'x'])]),
    }),
  });
  const params = spoiled(random, {
    message,
    ...(chance(random, 0.5) && { metadata: claim(random) }),
    ...(chance(random, 0.3) && { expires_in_seconds: hostileNumber(random) }),
  });
  return post(
    by,
    `/workspaces/${target}/a2a`,
    spoiled(random, {
      jsonrpc: '"2.0"',
      id: chance(random, 0.5) ? hostileNumber(random) : text(random, 300),
      method: '"message/send"',
      params,
    }),
  );
}

/** Says that the message comes from Lark, from somebody important. */
function claim(random: Random): string {
  return spoiled(random, {
    source: '"lark"',
    brand: '"lark"',
    chat_id: '"oc_boss"',
    chat_type: '"p2p"',
    sender_open_id: chance(random, 0.8) ? '"ou_boss"' : text(random, 300),
    message_id: chance(random, 0.8) ? '"om_boss"' : text(random, 300),
  });
}

function spoiledHeaders(random: Random, known: Knowledge, by: Account): Record<string, string> {
  const kind = random();
  if (kind < 0.8) return {};
  return pick<Record<string, string>>(random, [
    { Authorization: '' },
    { Authorization: 'Bearer wrong' },
    { Authorization: `bearer  ${by.token}x` },
    { Authorization: `Bearer ${'x'.repeat(8_000)}` },
    { 'X-Workspace-ID': pick(random, known.others) },
    { 'X-Workspace-ID': 'system:boss' },
    { Host: 'evil.example' },
    { Origin: 'http://evil.example' },
    { Origin: 'null' },
    { 'Content-Type': 'text/plain' },
    { 'Content-Type': 'application/json; charset=utf-16' },
    { Prefer: 'wait=1' },
    { Prefer: `wait=${'9'.repeat(300)}` },
    { 'X-Timeout': '-1' },
    { 'X-Forwarded-For': '127.0.0.1', 'X-HTTP-Method-Override': 'DELETE' },
    { 'Content-Encoding': 'gzip' },
    { 'Transfer-Encoding': 'chunked' },
    { Cookie: `token=${by.token}` },
  ]);
}
