import { EchoRuntime } from '../../../src/agents/echo.ts';
import { ExecRuntime } from '../../../src/agents/exec.ts';
import { agentContract } from './agent-contract.ts';
import { execOptions } from '../../unit/agents/exec-options.ts';

agentContract('echo', { create: () => new EchoRuntime() });
agentContract('exec', {
  create: () => new ExecRuntime(execOptions(['cat'])),
  createSlow: () => new ExecRuntime(execOptions(['sleep', '60'])),
});
