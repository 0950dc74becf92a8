import { createEchoAgent } from '../../../src/agents/echo.ts';
import { createExecAgent } from '../../../src/agents/exec.ts';
import { agentContract } from './agent-contract.ts';
import { execOptions } from '../../unit/agents/exec-options.ts';

agentContract('echo', { create: createEchoAgent });
agentContract('exec', {
  create: () => createExecAgent(execOptions(['cat'])),
  createSlow: () => createExecAgent(execOptions(['sleep', '60'])),
});
