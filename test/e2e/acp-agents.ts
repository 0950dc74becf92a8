/** Agents with a memory, as an operator adds them. */
import type { FakeAcpAgent } from '../kit/fake-acp-agent.ts';
import type { Rig } from './rig.ts';

/** It asks before it acts. */
export async function addAcpAgent(rig: Rig, name: string, { argv }: FakeAcpAgent): Promise<void> {
  const line = argv.map((word) => `'${word}'`).join(' ');
  const { code, stderr } = await rig.command(['agents', 'add', name, '--acp', line]);
  if (code !== 0) throw new Error(stderr);
}
