/** `lark-bridge config`: all settings and their sources, and changes in config.json. */
import {
  configError,
  checkConfig,
  locateStateDir,
  saveSetting,
  type SettingView,
} from '../../config/load.ts';
import { configPath } from '../../config/state-folder.ts';
import { BridgeError } from '../../core/errors.ts';
import { type SettingName, settingKey, settingRows } from '../../config/setting-rows.ts';
import { type CommandGroup, type LeafCommand, settingFlag } from '../command.ts';

const list: LeafCommand = {
  usage: 'list',
  describe: 'show all settings and where each comes from',
  run: async ({ output, configRequest }) => {
    const found = await checkConfig(configRequest([]));
    const settings = found.views.map((view) => ({ ...view, name: settingKey(view.name) }));
    output.result(tableOf(settings), { settings });
    if (found.problems.length > 0) throw configError(found.problems, found.stateDir);
  },
};

const check: LeafCommand = {
  usage: 'check',
  describe:
    'check, without a network, that `run` has all it needs; exit code 2 and the reasons if not',
  options: settingFlag('mode'),
  run: async ({ output, configRequest }) => {
    const found = await checkConfig(configRequest(['lark', 'platform']));
    const { problems, config, stateDir } = found;
    const { protectionTroubles } = await import('../../app/hub-protection.ts');
    const protection = config === undefined ? [] : protectionTroubles(config, Date.now());
    const warnings = [
      ...found.warnings.map(({ text }) => text),
      ...protection
        .filter(({ kind }) => kind === 'warning')
        .map(({ what, next }) => `${what.en}. ${next.en}`),
    ];
    for (const text of warnings) output.warning(text);
    if (problems.length > 0) throw configError(problems, stateDir);
    const unsafe = protection.find(({ kind }) => kind === 'problem');
    if (unsafe !== undefined) {
      throw new BridgeError('config_invalid', unsafe.what.en, { next: unsafe.next.en });
    }
    output.result('The configuration is complete.', { ok: true, warnings });
  },
};

const key = {
  key: { describe: 'Name of a setting, as `config list` shows it', type: 'string' },
} as const;

const get: LeafCommand = {
  usage: 'get <key>',
  describe: 'print the value that one setting has now',
  positionals: key,
  run: async ({ options, output, configRequest }) => {
    const name = settingNamed(options['key']);
    const { views } = await checkConfig(configRequest([]));
    const value = views.find((view) => view.name === name)?.value ?? null;
    output.result(value === null ? '' : String(value), value);
  },
};

const set: LeafCommand = {
  usage: 'set <key> <value>',
  isForOperator: true,
  describe: 'write a setting to config.json; an empty value removes it',
  positionals: { ...key, value: { describe: 'New value', type: 'string' } },
  run: async (invocation) => {
    const { options, output } = invocation;
    const name = settingNamed(options['key']);
    await saveSetting(name, String(options['value']), invocation.configRequest([]));
    const { views, stateDir } = await checkConfig(invocation.configRequest([]));
    const path = configPath(stateDir);
    output.result(`Saved in ${path}.`, { name: settingKey(name), path });
    const source = views.find((view) => view.name === name)?.source ?? '';
    if (!source.endsWith('config.json') && source !== 'default' && source !== 'unset') {
      output.note(`Note: ${source} is set too, and is used instead of the file.`);
    }
  },
};

const where: LeafCommand = {
  usage: 'path',
  describe: 'print where config.json is, or would be',
  run: ({ output, configRequest }) => {
    const path = configPath(locateStateDir(configRequest([])));
    output.result(path, path);
    return Promise.resolve();
  },
};

export const configCommand: CommandGroup = {
  usage: 'config',
  describe: 'show, check and change the settings',
  commands: [list, check, get, set, where],
  standard: list,
};

function settingNamed(typed: unknown): SettingName {
  const found = settingRows().find(([name]) => settingKey(name) === typed);
  if (found !== undefined) return found[0];
  throw new BridgeError('usage', `there is no setting ${JSON.stringify(typed)}`, {
    next: 'Run `lark-bridge config` to see all of them.',
  });
}

function tableOf(
  rows: readonly { name: string; value: SettingView['value']; source: string }[],
): string {
  const wide = (pick: (row: (typeof rows)[number]) => string) =>
    Math.max(...rows.map((row) => pick(row).length));
  const nameWidth = wide(({ name }) => name);
  const valueWidth = wide(({ value }) => textOf(value));
  return rows
    .map(({ name, value, source }) =>
      [name.padEnd(nameWidth), textOf(value).padEnd(valueWidth), source].join('  '),
    )
    .join('\n');
}

function textOf(value: SettingView['value']): string {
  return value === null ? '-' : String(value);
}
