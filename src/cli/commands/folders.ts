/** `lark-bridge folders`: where agents may work. Works while a daemon runs or not. */
import { BridgeError } from '../../core/errors.ts';
import { withAgents } from '../agent-access.ts';
import type { CommandGroup, LeafCommand } from '../command.ts';

const folder = { folder: { describe: 'The folder', type: 'string' } } as const;

const list: LeafCommand = {
  usage: 'list',
  describe: 'show the folders that chats may choose, each with all below it',
  run: (invocation) =>
    withAgents(invocation, async (agents) => {
      const folders = await agents.folders();
      const none = 'There are none. Add one with: lark-bridge folders add DIR';
      invocation.output.result(folders.length === 0 ? none : folders.join('\n'), { folders });
    }),
};

const add: LeafCommand = {
  usage: 'add <folder>',
  isForOperator: true,
  describe: 'let chats choose a folder, and all folders below it, for agents to work in',
  positionals: folder,
  run: (invocation) =>
    withAgents(invocation, async (agents) => {
      const { path, changed } = await agents.addFolder(String(invocation.options['folder']));
      const text = changed
        ? `Chats may choose ${path} and the folders below it, with /folder.`
        : `${path} was there already.`;
      invocation.output.result(text, { folder: path, added: changed });
    }),
};

const remove: LeafCommand = {
  usage: 'remove <folder>',
  isForOperator: true,
  describe: 'take that back; chats that work there have to choose again',
  positionals: folder,
  run: (invocation) =>
    withAgents(invocation, async (agents) => {
      const { path, changed } = await agents.removeFolder(String(invocation.options['folder']));
      if (!changed) {
        throw new BridgeError('usage', `${path} is not one of the folders`, {
          next: 'See them with: lark-bridge folders list',
        });
      }
      invocation.output.result(`Removed ${path}.`, { removed: path });
    }),
};

export const foldersCommand: CommandGroup = {
  usage: 'folders',
  describe: 'list, add and remove the folders that agents may work in',
  commands: [list, add, remove],
  standard: list,
};
