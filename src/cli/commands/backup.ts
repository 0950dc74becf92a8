/** `lark-bridge backup`: all of a bot in one file. */
import type { BackupReport } from '../../app/backup.ts';
import type { Command } from '../command.ts';
import { sizeOf } from '../size.ts';

export const backupCommand: Command = {
  usage: 'backup [file]',
  positionals: {
    file: {
      offers: 'file',
      describe: 'A new file, or a folder for it; without it, the current folder',
    },
  },
  options: {
    'with-secrets': {
      type: 'boolean',
      describe:
        'Also write the app secret and tokens; without them, `restore` on another machine asks for them',
    },
  },
  examples: {
    'lark-bridge backup': 'Write the bot into a file in this folder',
    'lark-bridge backup ~/bot.backup --with-secrets': 'Write all that another machine needs',
  },
  isForOperator: true,
  run: async ({ options, output, loadConfig }) => {
    const config = await loadConfig([]);
    const { makeBackup } = await import('../../app/backup.ts');
    const { file } = options;
    const report = makeBackup({
      config,
      to: typeof file === 'string' ? file : undefined,
      withSecrets: options['with-secrets'] === true,
      note: (text) => output.note(text),
    });
    output.result(textOf(report), report);
  },
};

function textOf({ file, bytes, with_secrets: withSecrets, left_out: out, skipped }: BackupReport) {
  return [
    `${file}: ${sizeOf(bytes)}, checked.`,
    withSecrets
      ? 'It holds the app secret and all that people wrote: keep it where nobody else can read it.'
      : `Without secrets${out.length === 0 ? '' : ` (${out.join(', ')})`}. It holds all that people wrote: keep it where nobody else can read it.`,
    ...(skipped.length === 0
      ? []
      : [`Left out, as no plain files of up to 256 MB: ${skipped.join(', ')}`]),
  ].join('\n');
}
