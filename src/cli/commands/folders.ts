/** `lark-bridge folders`: where agents may work. Works while a daemon runs or not. */
import { BridgeError } from '../../core/errors.ts';
import { withAgents } from '../agent-access.ts';
import type { CommandGroup, Subcommand } from '../command.ts';

const folder = { folder: { describe: 'Path of the folder', offers: 'folder' } } as const;

const list: Subcommand = {
  usage: 'list',
  describe: 'Show the folders that chats may choose; each includes all folders below it',
  examples: { 'lark-bridge folders list': 'Show the folders' },
  run: (invocation) =>
    withAgents(invocation, async (agents) => {
      const folders = await agents.folders();
      const none = 'There are none. Add one with: lark-bridge folders add DIR';
      invocation.output.result(folders.length === 0 ? none : folders.join('\n'), { folders });
    }),
};

const add: Subcommand = {
  usage: 'add <folder>',
  isForOperator: true,
  describe: 'Let chats choose a folder, and all folders below it, for agents to work in',
  examples: { 'lark-bridge folders add ~/work': 'Let agents work in ~/work' },
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

const remove: Subcommand = {
  usage: 'remove <folder>',
  isForOperator: true,
  describe: 'Remove a folder from the list; chats that work there have to choose again',
  positionals: { folder: { ...folder.folder, offers: 'shared_folder' } },
  examples: { 'lark-bridge folders remove ~/work': 'Let agents no longer work in ~/work' },
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
  commands: [list, add, remove],
  standard: list,
};
