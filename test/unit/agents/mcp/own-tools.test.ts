/** The tools of the bridge need no permission. Nothing else may pass for one of them. */
import { expect, test } from 'vitest';
import type { ToolUse } from '../../../../src/agents/acp/tools-port.ts';
import { isOwnTool } from '../../../../src/agents/mcp/own-tools.ts';

const OWN = 'mcp__lark_bridge__ask_person';
const serverOf = (name: string, more: object = {}) => ({
  claudeCode: { mcpServer: { name }, ...more },
});

test.each<[string, ToolUse]>([
  ['by its name', { name: OWN, title: 'Ask' }],
  ['by its name and its server', { name: OWN, meta: serverOf('lark_bridge') }],
  ['by the name of Claude', { meta: serverOf('lark_bridge', { toolName: OWN }), title: 'Ask' }],
  ['by its title, where nothing else is said', { title: OWN, kind: 'other' }],
])('a tool of the bridge is known %s', (_how, use) => {
  expect(isOwnTool(use)).toBe(true);
});

test.each<[string, ToolUse]>([
  ['a command with our words', { name: 'Bash', title: OWN }],
  ['a command without a name', { kind: 'execute', title: OWN }],
  ['a title that begins with our words', { title: `${OWN}; rm -rf /` }],
  ['a title that speaks of our tool', { title: `Edit ${OWN}.ts` }],
  ['a name that begins with ours', { name: `${OWN}_too` }],
  ['a tool that we do not have', { name: 'mcp__lark_bridge__delete_all' }],
  ['our name at another server', { name: OWN, meta: serverOf('evil') }],
  ['our title at another server', { title: OWN, meta: serverOf('evil') }],
  ['another tool said to be at our server', { name: 'Bash', meta: serverOf('lark_bridge') }],
  ['our server and a title of its own', { title: 'rm -rf /', meta: serverOf('lark_bridge') }],
  ['nothing', {}],
  ['metadata that is none', { title: 'x', meta: { claudeCode: 'lark_bridge' } }],
])('%s is no tool of the bridge', (_what, use) => {
  expect(isOwnTool(use)).toBe(false);
});
