/** An agent whom nobody serves: told in the log, in the chat and by `status`, until somebody does. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { Rig } from './rig.ts';

test('an agent that nobody asks for is told within a minute, and served when somebody does', async () => {
  const rig = await Rig.open();
  onTestFinished(() => rig.close());
  const offsetFile = join(rig.home, 'offset');
  const preload = pathToFileURL(join(import.meta.dirname, 'clock-preload.js')).href;
  const bridge = await rig.run({
    env: { NODE_OPTIONS: `--import ${preload}`, CLOCK_OFFSET_FILE: offsetFile },
  });
  const { hub_url: url } = await bridge.ready();
  const added = await rig.command(['agents', 'add', 'far', '--json']);
  const agent = JSON.parse(added.stdout) as { workspace_id: string; api_key: string };
  const { user, chat } = rig.direct('Mei');
  rig.cloud.say({ chat, from: user, text: 'hello' });
  await bridge.saw(() => bridge.logged('lark_connected'));
  const status = () => rig.command(['status']);
  expect((await status()).code).toBe(0);

  // Nothing else than a clock tells that a minute has gone by.
  writeFileSync(offsetFile, '60000');
  bridge.child.kill('SIGUSR2');
  const [told] = await rig.repliesIn(chat, 1);
  expect(JSON.stringify(told)).toContain(
    'the agent far is not running: nobody has asked for its work yet',
  );
  expect(bridge.stderr).toMatch(
    /"level":"warn".*"event":"agent_found_unserved","agent":"far","why":"never"/,
  );
  const away = await status();
  expect(away.code).toBe(1);
  expect(away.stdout).toContain('Nobody has asked for the work of the agent far yet');

  const asked = await fetch(`${url}/workspaces/${agent.workspace_id}/activity?type=a2a_receive`, {
    headers: { authorization: `Bearer ${agent.api_key}`, 'x-workspace-id': agent.workspace_id },
  });
  expect(asked.status).toBe(200);
  await bridge.saw(() => bridge.logged('agent_served_again'));
  expect((await status()).code).toBe(0);
});
