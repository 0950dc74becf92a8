/** Every command, one row each. A command's own file is loaded when it is called, or when its help is. */
import { packageFacts } from '../host/package.ts';
import type { CommandRow } from './command.ts';

const COMMANDS: readonly CommandRow[] = [
  {
    name: 'demo',
    heading: 'start',
    describe: 'Try it without a Lark app: chat with an echo bot or your own agent',
    docs: 'docs/agents.md',
    load: async () => (await import('./commands/demo.ts')).demoCommand,
  },
  {
    name: 'connect',
    aliases: ['setup'],
    heading: 'start',
    describe: 'Create the bot by scanning a QR code, or use an existing app',
    docs: 'docs/connect.md',
    load: async () => (await import('./commands/connect.ts')).connectCommand,
  },
  {
    name: 'run',
    heading: 'start',
    describe: 'Run the bot; `lark-bridge` alone does the same',
    docs: 'docs/settings.md',
    load: async () => (await import('./commands/run.ts')).runCommand,
  },
  {
    name: 'agents',
    heading: 'start',
    describe: 'List, add, choose, remove and test agents',
    docs: 'docs/agents.md',
    load: async () => (await import('./commands/agents.ts')).agentsCommand,
  },
  {
    name: 'folders',
    heading: 'start',
    describe: 'List, add and remove the folders that agents may work in',
    docs: 'docs/agents.md',
    load: async () => (await import('./commands/folders.ts')).foldersCommand,
  },
  {
    name: 'status',
    heading: 'look',
    describe: 'Show whether the bot is running and healthy',
    docs: 'docs/monitoring.md',
    load: async () => (await import('./commands/status.ts')).statusCommand,
  },
  {
    name: 'doctor',
    heading: 'look',
    describe: 'Check everything that can be wrong, and say how to fix it',
    docs: 'docs/troubleshooting.md',
    load: async () => (await import('./commands/doctor.ts')).doctorCommand,
  },
  {
    name: 'turns',
    heading: 'look',
    describe: 'List, show, retry and drop turns: the work on one message each',
    docs: 'docs/troubleshooting.md',
    load: async () => (await import('./commands/turns.ts')).turnsCommand,
  },
  {
    name: 'dead-letters',
    heading: 'look',
    describe: 'List, show, resend and drop messages that could not be delivered',
    docs: 'docs/troubleshooting.md',
    load: async () => (await import('./commands/dead-letters.ts')).deadLettersCommand,
  },
  {
    name: 'trace',
    heading: 'look',
    describe: 'Show what happened to one message, step by step',
    docs: 'docs/troubleshooting.md',
    load: async () => (await import('./commands/trace.ts')).traceCommand,
  },
  {
    name: 'logs',
    heading: 'look',
    describe: 'Show the log of the bot, where it runs as a service',
    docs: 'docs/service.md',
    load: async () => (await import('./commands/logs.ts')).logsCommand,
  },
  {
    name: 'service',
    heading: 'keep',
    describe: 'Run the bot as a service, of your user or of the whole machine',
    docs: 'docs/service.md',
    load: async () => (await import('./commands/os-service.ts')).serviceCommand,
  },
  {
    name: 'config',
    heading: 'keep',
    describe: 'Show, check, change and edit settings',
    docs: 'docs/settings.md',
    load: async () => (await import('./commands/config.ts')).configCommand,
  },
  {
    name: 'backup',
    heading: 'keep',
    describe: 'Write all of the bot into one file, even while it runs',
    docs: 'docs/upgrade.md',
    load: async () => (await import('./commands/backup.ts')).backupCommand,
  },
  {
    name: 'restore',
    heading: 'keep',
    describe: 'Put the bot back as a backup has it',
    docs: 'docs/upgrade.md',
    load: async () => (await import('./commands/restore.ts')).restoreCommand,
  },
  {
    name: 'disconnect',
    heading: 'keep',
    describe: 'Remove the credentials of the bot from this machine',
    docs: 'docs/uninstall.md',
    load: async () => (await import('./commands/disconnect.ts')).disconnectCommand,
  },
  {
    name: 'pairing',
    heading: 'talk',
    describe: 'List, approve and revoke the people who may talk to the bot',
    docs: 'docs/access.md',
    load: async () => (await import('./commands/pairing.ts')).pairingCommand,
  },
  {
    name: 'chats',
    heading: 'talk',
    describe: 'List, allow and deny the groups in which the bot answers',
    docs: 'docs/access.md',
    load: async () => (await import('./commands/chats.ts')).chatsCommand,
  },
  {
    name: 'send',
    heading: 'talk',
    describe: 'Send one message to a chat or a person',
    docs: 'docs/command-line.md',
    load: async () => (await import('./commands/send.ts')).sendCommand,
  },
  {
    name: 'webhooks',
    heading: 'talk',
    describe: 'List, add, remove and test webhooks: URLs that are called when something happens',
    docs: 'docs/events.md',
    load: async () => (await import('./commands/webhooks.ts')).webhooksCommand,
  },
  {
    name: 'simulate',
    heading: 'build',
    describe: 'Run a simulated Lark cloud, alone or around a command such as your tests',
    docs: 'docs/simulator.md',
    load: async () => (await import('./commands/simulate.ts')).simulateCommand,
  },
  {
    name: 'hub',
    heading: 'build',
    describe: 'Run the embedded hub alone, without a bot',
    docs: 'docs/turn-contract.md',
    load: async () => (await import('./commands/hub.ts')).hubCommand,
  },
  {
    name: 'completion',
    heading: 'build',
    describe: 'Print a script that completes commands, options and names in your shell',
    docs: 'docs/command-line.md',
    load: async () => (await import('./commands/completion.ts')).completionCommand,
  },
];

export const GRAMMAR = {
  commands: COMMANDS,
  /** What runs if no command is named. */
  standard: 'run',
  version: packageFacts().version,
};

export type Grammar = typeof GRAMMAR;
