/** What an agent's program can find out about the secrets that the bridge was started with. */
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Rig } from './rig.ts';

let rig: Rig;

beforeEach(async () => {
  rig = await Rig.open();
});

afterEach(() => rig.close());

const SECRETS = {
  MOLECULE_CHANNEL_A2A_TOKEN: 'the-capability-of-a-host',
  OTEL_EXPORTER_OTLP_HEADERS: 'authorization=the-key-of-a-collector',
  ANTHROPIC_API_KEY: 'the-key-of-a-person',
  GITHUB_TOKEN: 'the-token-of-a-person',
};

/** Shows its own environment and that of the process that started it. */
const SPY = `sh -c 'env; tr "\\\\0" "\\\\n" < /proc/$PPID/environ'`;

test.runIf(process.platform === 'linux')(
  "F5: a program finds no secret in the bridge's environment and in its own, but what was named for it",
  async () => {
    const added = await rig.command(['agents', 'add', 'spy', '--exec', SPY]);
    expect(added.code, added.stderr).toBe(0);
    const env = { ...SECRETS, LARK_LOG_LEVEL: 'info' };
    const bridge = await rig.run({ env });
    const { user, chat } = rig.direct('Mei');
    rig.cloud.say({ chat, from: user, text: 'what do you see?' });
    const text = (await rig.repliesIn(chat, 1)).at(-1)?.text ?? '';
    // It saw both environments.
    expect(text).toContain('LARK_SENDER_OPEN_ID=ou_');
    expect(text).toContain('LARK_LOG_LEVEL=info');
    const environ = readFileSync(`/proc/${bridge.child.pid}/environ`, 'latin1');
    for (const secret of [rig.app.appSecret, ...Object.values(SECRETS)]) {
      expect(text).not.toContain(secret);
      expect(environ).not.toContain(secret);
    }
    expect(bridge.stderr).not.toContain('environment_not_cleared');
    expect(await bridge.stop()).toBe(0);

    const named = ['agents', 'add', 'named', '--exec', SPY, '--env', 'ANTHROPIC_API_KEY'];
    expect((await rig.command(named)).code).toBe(0);
    await rig.run({ env });
    rig.cloud.say({ chat, from: user, text: 'and now?' });
    const second = (await rig.repliesIn(chat, 2)).at(-1)?.text ?? '';
    expect(second.split('the-key-of-a-person')).toHaveLength(2);
    expect(second).toContain('ANTHROPIC_API_KEY=the-key-of-a-person');
  },
);

test('F5: `agents test` hides them too', async () => {
  await rig.command(['agents', 'add', 'spy', '--exec', SPY]);
  // With an embedded hub `run` refuses this one, so it is tried here.
  const env = { ...SECRETS, MOLECULE_WORKSPACE_TOKEN: 'the-token-of-a-workspace' };
  const { code, stdout } = await rig.program(['agents', 'test', 'spy'], { env });
  expect(code).toBe(0);
  for (const secret of [rig.app.appSecret, ...Object.values(env)]) {
    expect(stdout).not.toContain(secret);
  }
});

test("a run in another process's name leaves the environment of that process alone", async () => {
  process.env['TEST_API_KEY'] = 'a-key-of-this-process';
  try {
    await rig.runHere();
    expect(process.env['TEST_API_KEY']).toBe('a-key-of-this-process');
  } finally {
    delete process.env['TEST_API_KEY'];
  }
});
