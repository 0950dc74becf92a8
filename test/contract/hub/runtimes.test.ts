/** The life of runtimes at the hub: one for each agent, over turns, until the agent or the hub is gone. */
import { expect, test } from 'vitest';
import { Rig } from './rig.ts';
import { fastClock } from '../../kit/clock.ts';

const echo = (turn: { readonly text: string }) => ({ ok: true, text: turn.text }) as const;

async function start(options?: Parameters<typeof Rig.start>[0]) {
  const rig = await Rig.start(options);
  const bridge = await rig.bridge();
  const agent = await rig.addAgent('helper');
  const ask = async (text: string, target = agent.id) => {
    const sent = await rig.send(bridge, target, { text });
    return endOf(target, sent.body.queue_id as string);
  };
  // LarkResult again, because a fast clock ends the waits of the hub early.
  const endOf = async (target: string, id: string) => {
    const end = async () => (await rig.item(bridge, target, id, 30)).body.response_body;
    await expect.poll(end).not.toBeFalsy();
    return end();
  };
  return { rig, bridge, agent, ask, endOf, agents: rig.agents };
}

test('an agent keeps its runtime over turns; it is made and started for the first one', async () => {
  const { ask, agents } = await start();
  agents.answerWith = echo;
  expect(agents.runtimes).toEqual([]);
  for (const text of ['one', 'two', 'three']) {
    expect((await ask(text)).result.parts[0].text).toBe(text);
  }
  expect(agents.runtimes).toMatchObject([{ spec: { kind: 'exec' }, starts: 1, stops: 0 }]);
});

test('each agent has a runtime of its own', async () => {
  const { rig, ask, agents } = await start();
  agents.answerWith = echo;
  const other = await rig.addAgent('other');
  await ask('one');
  await ask('two', other.id);
  expect(agents.runtimes).toHaveLength(2);
});

test('the stop of the hub stops the runtimes', async () => {
  const { rig, ask, agents } = await start();
  agents.answerWith = echo;
  await ask('one');
  await rig.hub.stop();
  expect(agents.runtimes).toMatchObject([{ starts: 1, stops: 1 }]);
});

test('the hub stops although a runtime does not', async () => {
  const { rig, ask, agents } = await start({ clock: fastClock });
  agents.answerWith = echo;
  await ask('one');
  const [runtime] = agents.runtimes;
  if (runtime !== undefined) runtime.stop = () => new Promise(() => {});
  await rig.hub.stop();
  expect(rig.log.events()).toContain('hub_runtime_abandoned');
});

test('a runtime that can not be started fails the turn, and the next turn gets another one', async () => {
  const { rig, ask, agents } = await start();
  agents.answerWith = echo;
  agents.startWith = () => Promise.reject(new Error('secret inside'));
  expect((await ask('one')).error.message).toBe('The agent broke while it worked on this.');
  await expect.poll(() => agents.runtimes[0]?.stops).toBe(1);
  agents.startWith = () => Promise.resolve();
  expect((await ask('two')).result.parts[0].text).toBe('two');
  expect(agents.runtimes).toHaveLength(2);
  expect(rig.log.events()).toContain('hub_agent_broke');
});

test('a runtime that does not start is ended with the time limit of the turn', async () => {
  const { ask, agents } = await start({ clock: fastClock, turnTimeoutMs: 1_000 });
  agents.startWith = () => new Promise(() => {});
  expect((await ask('one')).error.data.reason).toBe('timed_out');
});

test('the runtime of a removed agent is stopped, but not before its turn is over', async () => {
  const { rig, bridge, agent, ask, endOf, agents } = await start({ clock: fastClock });
  const sent = await rig.send(bridge, agent.id);
  await expect.poll(() => agents.runs).toHaveLength(1);
  let checks = 0;
  const { agents: read } = rig.store;
  Object.assign(rig.store, {
    agents: () => {
      checks += 1;
      return read();
    },
  });
  await rig.directory.removeAgent('helper');
  // Whoever is added under the same name is another agent.
  const again = await rig.addAgent('helper');
  await expect.poll(() => checks).toBeGreaterThan(1);
  expect(agents.runtimes[0]?.stops).toBe(0);
  agents.runs[0]?.answer('done');
  const end = await endOf(agent.id, sent.body.queue_id as string);
  expect(end.result.parts[0].text).toBe('done');
  await expect.poll(() => agents.runtimes[0]?.stops).toBe(1);
  agents.answerWith = echo;
  await ask('two', again.id);
  expect(agents.runtimes).toMatchObject([{ stops: 1 }, { starts: 1, stops: 0 }]);
});
