import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ProgramPlaces } from '../../../src/agents/acp/places.ts';
import { createRuntime } from '../../../src/agents/create-runtime.ts';
import { isProcessAlive, pidIn } from '../../kit/processes.ts';
import { Rig } from './rig.ts';
import { systemClock } from '../../../src/time/clock.ts';
import { silentLog } from '../../kit/log.ts';
import { temporaryFolder } from '../../kit/folder.ts';

async function rigWithPrograms() {
  const options = {
    env: { PATH: process.env['PATH'], LARK_APP_SECRET: 'do-not-show' },
    timeoutMs: 60_000,
    places: new ProgramPlaces(1),
    idleMs: 60_000,
    agentFolders: '/nowhere',
    clock: systemClock,
    log: silentLog,
  };
  const rig = await Rig.start({
    createRuntime: (spec, host) => createRuntime(spec, options, host),
  });
  const bridge = await rig.bridge();
  const addProgram = (name: string, script: string) =>
    rig.directory.addAgent({ name, spec: { kind: 'exec', argv: ['sh', '-c', script] } });
  return { rig, bridge, addProgram };
}

test('a turn goes through a program and back', async () => {
  const { rig, bridge, addProgram } = await rigWithPrograms();
  const program = await addProgram('shout', 'tr a-z A-Z; echo " $LARK_CHAT_ID$LARK_APP_SECRET"');
  const metadata = {
    brand: 'feishu',
    chat_id: 'oc_1',
    chat_type: 'p2p',
    sender_open_id: 'ou_1',
    message_id: 'om_1',
  };
  const text = '[lark-channel] brand=feishu chat_id=oc_1\nhello';
  const sent = await rig.send(bridge, program.workspaceId, { text, metadata });
  const done = await rig.item(bridge, program.workspaceId, sent.body.queue_id as string, 30);
  expect(done.body.response_body.result.parts).toEqual([{ kind: 'text', text: 'HELLO oc_1' }]);
});

test('a failure names the agent and its exit code, in the answer and in the log', async () => {
  const { rig, bridge, addProgram } = await rigWithPrograms();
  const broken = await addProgram('broken', 'exit 3');
  const sent = await rig.send(bridge, broken.workspaceId, { text: 'hello' });
  const done = await rig.item(bridge, broken.workspaceId, sent.body.queue_id as string, 30);
  const detail = "The agent's program ended with exit code 3.";
  expect(done.body.response_body.error).toEqual({
    code: -32000,
    message: detail,
    data: { reason: 'failed', agent: 'broken' },
  });
  const failed = () => rig.log.lines.filter(({ event }) => event === 'hub_turn_failed');
  await expect.poll(failed).toMatchObject([{ agent: 'broken', detail }]);
});

test('the built-in echo answers', async () => {
  const { rig, bridge } = await rigWithPrograms();
  const echo = await rig.directory.defaultAgent();
  const sent = await rig.send(bridge, echo.workspaceId, { text: 'marco' });
  const done = await rig.item(bridge, echo.workspaceId, sent.body.queue_id as string, 30);
  expect(done.body.response_body.result.parts).toEqual([{ kind: 'text', text: 'marco' }]);
});

test('when a turn is cancelled, its program and all processes that it started end', async () => {
  const { rig, bridge, addProgram } = await rigWithPrograms();
  const folder = temporaryFolder();
  const script = `cd ${folder}; sh -c 'echo $$ > child; sleep 60' & echo $$ > parent; wait`;
  const slow = await addProgram('slow', script);
  await rig.send(bridge, slow.workspaceId, { messageId: 'm-1' });
  const pids = [await pidIn(join(folder, 'child')), await pidIn(join(folder, 'parent'))];
  const path = `/workspaces/${slow.workspaceId}/a2a/messages/m-1`;
  const cancelled = await rig.call('DELETE', path, { token: bridge.token, as: bridge.id });
  expect(cancelled).toMatchObject({ status: 200, body: { status: 'dropped' } });
  await expect.poll(() => pids.map(isProcessAlive)).toEqual([false, false]);
});

test('when the hub stops no program of its is left, and the turn runs again at the next start', async () => {
  const { rig, bridge, addProgram } = await rigWithPrograms();
  const folder = temporaryFolder();
  const script = `cd ${folder}
    if test -e pid; then echo again; exit; fi
    sh -c 'echo $$ > pid; exec sleep 60'`;
  const slow = await addProgram('slow', script);
  const sent = await rig.send(bridge, slow.workspaceId);
  const pid = await pidIn(join(folder, 'pid'));
  await rig.restart({ clean: true });
  expect(isProcessAlive(pid)).toBe(false);
  const done = await rig.item(bridge, slow.workspaceId, sent.body.queue_id as string, 30);
  expect(done.body.response_body.result.parts[0].text).toBe('again');
});
