/** `lark-bridge restore`: puts a backup back. */
import type { RestoreReport } from '../../app/restore.ts';
import type { Command } from '../command.ts';

export const restoreCommand: Command = {
  usage: 'restore <file>',
  positionals: { file: { offers: 'file', describe: 'A file that `backup` made' } },
  examples: { 'lark-bridge restore ~/bot.backup': 'Put the bot back; what was there is kept' },
  isForOperator: true,
  run: async ({ options, output, configRequest, createLog }) => {
    const log = await createLog({ logLevel: 'error', logFormat: 'text', noColor: undefined });
    const { restoreBackup } = await import('../../app/restore.ts');
    const report = await restoreBackup({
      file: String(options['file']),
      config: configRequest([]),
      log,
      note: (text) => output.note(text),
    });
    output.result(textOf(report), report);
  },
};

function textOf(report: RestoreReport): string {
  const { state_dir: stateDir, made_at: madeAt, made_by: madeBy, missing, app_id: app } = report;
  const kept = report.set_aside.map((path) => `  ${path}`);
  return [
    `${stateDir} is as it was on ${madeAt} (lark-bridge ${madeBy}).`,
    ...(kept.length === 0 ? [] : ['What was there before is kept:', ...kept]),
    ...(missing.length === 0 ? [] : ['Still missing:', ...missing.map((text) => `  - ${text}`)]),
    `next: ${missing.length === 0 ? START : connectWith(app)}`,
  ].join('\n');
}

const START =
  'Start it with `lark-bridge run` or `lark-bridge service start`. Chats are asked about messages that may have been answered since the backup.';

function connectWith(app: string | null): string {
  const named = app === null ? '' : ` --app-id ${app} --app-secret-stdin`;
  return `Give the credentials with \`lark-bridge connect${named}\`, then start it with \`lark-bridge run\`.`;
}
