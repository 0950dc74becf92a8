import { type Options, settingFlag } from './command.ts';

/** What every command takes. */
export const GLOBAL_OPTIONS: Options = {
  ...settingFlag('stateDir'),
  ...settingFlag('logLevel'),
  ...settingFlag('logFormat'),
  json: { type: 'boolean', describe: 'Print results as JSON, one value per line' },
  quiet: { type: 'boolean', describe: 'Print no progress, and log only warnings and errors' },
  ...settingFlag('noColor'),
  help: { type: 'boolean', alias: 'h', describe: 'Show help' },
  version: { type: 'boolean', alias: 'V', describe: 'Show the version' },
};
