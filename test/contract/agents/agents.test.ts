import { EchoRuntime } from '../../../src/agents/echo.ts';
import { ExecRuntime } from '../../../src/agents/exec.ts';
import { agentContract } from './agent-contract.ts';
import { execOptions } from '../../unit/agents/exec-options.ts';

agentContract('echo', { create: () => new EchoRuntime() });
agentContract('exec', {
  create: () => new ExecRuntime(execOptions(['cat'])),
  createSlow: () => new ExecRuntime(execOptions(['sleep', '60'])),
});

const ASKS = String.raw`read -r turn
echo '{"type":"ask","id":"1","text":"May I?","options":[{"id":"yes","label":"Yes"},{"id":"no","label":"No"}]}'
read -r told
case "$told" in *cancelled*) said=cancelled ;; *'"yes"'*) said=yes ;; *) said=no ;; esac
echo "{\"type\":\"text\",\"text\":\"$said\"}"`;

const streaming = (...argv: readonly string[]) =>
  new ExecRuntime(execOptions([], { spec: { kind: 'exec', argv, stream: true } }));
agentContract('exec --stream', {
  // The line of the turn has a field `text`, so it becomes a line of the answer.
  create: () => streaming('sed', '-u', '-e', 's/"type":"turn"/"type":"text"/', '-e', 'q'),
  createSlow: () => streaming('sleep', '60'),
  createAsking: () => streaming('sh', '-c', ASKS),
});
