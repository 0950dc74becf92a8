/** The program's hub believes the bridges that its settings name. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openAgents } from '../../../src/app/agents.ts';
import { startHub } from '../../../src/app/start.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { silentLog } from '../../kit/log.ts';

test('F6: LARK_HUB_BRIDGES names the bridges elsewhere whose word about Lark counts', async () => {
  const [named, other] = [randomUUID(), randomUUID()];
  const state = join(temporaryFolder(), 'state');
  const env = {
    HOME: temporaryFolder(),
    LARK_CHANNEL_STATE_DIR: state,
    LARK_PORT: '0',
    LARK_HUB_BRIDGES: ` ${randomUUID()}, ${named.toUpperCase()}`,
  };
  const context = {
    config: await loadConfig({ env, flags: {}, needs: [] }),
    env: {},
    log: silentLog,
  };
  const hub = await startHub(context);
  onTestFinished(() => hub.stop());
  const agents = await openAgents(context);
  onTestFinished(() => agents.close());
  const { workspaceId: agent, apiKey } = await agents.add(
    { name: 'poller' },
    { signal: new AbortController().signal, onInstall: () => {} },
  );
  const call = async (method: string, path: string, token: string, body?: object) => {
    const response = await fetch(hub.hubUrl + path, {
      method,
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    // eslint-disable-next-line typescript/no-explicit-any
    return (await response.json()) as any;
  };
  const provision = readFileSync(join(state, 'provision-token'), 'utf8').trim();
  for (const id of [named, other]) {
    const card = { id, agent_card: { name: 'bridge' }, delivery_mode: 'poll' };
    const { auth_token: token } = await call('POST', '/registry/register', provision, card);
    const message = { role: 'user', messageId: id, parts: [{ kind: 'text', text: 'hello' }] };
    const params = { message, metadata: { source: 'lark' } };
    await call('POST', `/workspaces/${agent}/a2a`, token, { params });
  }
  const rows = await call('GET', `/workspaces/${agent}/activity`, apiKey.reveal());
  expect(rows.toReversed()).toMatchObject([
    { request_body: { params: { metadata: { source: 'lark' } } } },
    { request_body: { params: { metadata: { claimed_source: 'lark' } } } },
  ]);
});
