/** Whoever fills the slots waits behind the others. */
import { randomUUID } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Rig } from './rig.ts';

/** More than the slots that anybody may have. */
const GREEDY_TURNS = 8;

/** Notes that it hangs, or answers at once. */
const AGENT = `read text
case "$text" in
  *hang*) touch "$HOME/hang.$$"; while [ -d "$HOME" ] && [ ! -e "$HOME/go" ]; do sleep 0.1; done;;
esac
echo "answer to $text"`;

async function startRig() {
  const rig = await Rig.open();
  onTestFinished(() => rig.close());
  await rig.addAgent('moody', AGENT);
  const bridge = await rig.runHere();
  const { hub_url: hubUrl } = await bridge.ready();
  const hanging = () => readdirSync(rig.home).filter((name) => name.startsWith('hang.')).length;
  const call = async (path: string, token: string, body: object) => {
    const response = await fetch(hubUrl + path, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    return (await response.json()) as Record<string, unknown>;
  };
  return { rig, call, hanging };
}

async function moodyId(rig: Rig): Promise<string> {
  const { stdout } = await rig.command(['agents', 'list', '--json']);
  const { agents } = JSON.parse(stdout) as {
    readonly agents: readonly { readonly name: string; readonly workspace_id: string }[];
  };
  return agents.find(({ name }) => name === 'moody')?.workspace_id ?? '';
}

describe.concurrent('F7: a person is answered', () => {
  test('while turns of a tenant hang', async () => {
    const { rig, call, hanging } = await startRig();
    const provision = readFileSync(join(rig.stateDir, 'provision-token'), 'utf8').trim();
    const card = { id: randomUUID(), agent_card: { name: 'greedy' }, delivery_mode: 'poll' };
    const { auth_token: token } = await call('/registry/register', provision, card);
    const target = await moodyId(rig);
    for (let at = 0; at < GREEDY_TURNS; at += 1) {
      const message = {
        role: 'user',
        messageId: randomUUID(),
        contextId: `context ${at}`,
        parts: [{ kind: 'text', text: 'hang' }],
      };
      const request = { jsonrpc: '2.0', id: '1', method: 'message/send', params: { message } };
      const sent = await call(`/workspaces/${target}/a2a`, String(token), request);
      expect(sent).toMatchObject({ queued: true });
    }
    await expect.poll(hanging).toBeGreaterThan(0);

    const { user, chat } = rig.direct('Mia');
    rig.cloud.say({ chat, from: user, text: 'hello' });
    const [answer] = await rig.repliesIn(chat, 1);
    expect(answer?.text).toBe('answer to hello');
    expect(hanging()).toBeLessThanOrEqual(2);
  });

  test('while a guest has turns that hang in eight groups of their own', async () => {
    const { rig, hanging } = await startRig();
    const guest = rig.cloud.addUser({ name: 'Guest' });
    for (let at = 0; at < GREEDY_TURNS; at += 1) {
      const group = rig.cloud.addGroup({
        name: `Group ${at}`,
        members: [guest],
        apps: [rig.app],
      });
      rig.cloud.say({ chat: group, from: guest, text: '{0} hang', mentions: [rig.app] });
    }
    await expect.poll(hanging).toBe(4);

    const { user, chat } = rig.direct('Mia');
    rig.cloud.say({ chat, from: user, text: 'hello' });
    const [answer] = await rig.repliesIn(chat, 1);
    expect(answer?.text).toBe('answer to hello');
    expect(hanging()).toBe(4);
  });
});
