/** The names of the bridge's tools, and how they are told from the tools of others. */
import { asObject } from '../../core/json-object.ts';
import type { ToolUse } from '../acp/tools-port.ts';

/** Agents put it before the names of the tools. */
export const SERVER_NAME = 'lark_bridge';

export const TOOL_NAMES = ['send_file', 'ask_person', 'read_history', 'react'] as const;

const OWN_NAMES: ReadonlySet<unknown> = new Set(
  TOOL_NAMES.map((name) => `mcp__${SERVER_NAME}__${name}`),
);

/**
 * True for the use of a tool of the bridge. The name must be exactly that of one: the title of a command is the
 * command itself, so it can begin with any words.
 */
export function isOwnTool({ name, title, kind, meta }: ToolUse): boolean {
  const claude = asObject(meta?.['claudeCode']);
  const server = asObject(claude?.['mcpServer']);
  if (server !== undefined && server['name'] !== SERVER_NAME) return false;
  const called = name ?? claude?.['toolName'];
  if (called !== undefined) return OWN_NAMES.has(called);
  return kind !== 'execute' && OWN_NAMES.has(title);
}
