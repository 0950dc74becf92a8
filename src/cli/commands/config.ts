/** `lark-bridge config`: all settings and their sources, and changes in config.json. */
import {
  configError,
  checkConfig,
  locateStateDir,
  saveSetting,
  type SettingView,
} from '../../config/load.ts';
import { configPath } from '../../config/state-folder.ts';
import { configTemplate } from '../../config/config-template.ts';
import { BridgeError } from '../../core/errors.ts';
import { unknownName } from '../mistakes.ts';
import { type SettingName, settingKey, settingRows } from '../../config/setting-rows.ts';
import { type Setting, SETTINGS } from '../../config/settings.ts';
import { type CommandGroup, settingFlag, type Subcommand } from '../command.ts';
import { editConfig, FROM_NEXT_START } from '../config-edit.ts';
import { tableFor } from '../table.ts';

const list: Subcommand = {
  usage: 'list',
  describe: 'Show all settings, and where each value comes from',
  examples: {
    'lark-bridge config list': 'Show all settings',
    'lark-bridge config list --changed': 'Show only those that are not at their defaults',
  },
  options: {
    changed: { type: 'boolean', describe: 'Show only those that are not at their defaults' },
    describe: { type: 'boolean', describe: 'Also say what each is, and how else it is set' },
  },
  run: async ({ options, output, configRequest }) => {
    const found = await checkConfig(configRequest([]));
    const shown =
      options['changed'] === true ? found.views.filter(({ source }) => isSet(source)) : found.views;
    const rows = shown.map(({ name, value, source }) => [settingKey(name), textOf(value), source]);
    const { head, lines } = tableFor(COLUMNS, rows, output.width);
    const texts = lines(rows).flatMap((line, at) =>
      options['describe'] === true ? [line, `    ${describedAs(shown[at]?.name)}`] : [line],
    );
    output.result(
      shown.length === 0 ? 'All settings are at their defaults.' : [head, ...texts].join('\n'),
      {
        settings: shown.map(fieldsOf),
      },
    );
    if (found.problems.length > 0) throw configError(found.problems, found.stateDir);
  },
};

const COLUMNS = [
  { head: 'NAME' },
  { head: 'VALUE', narrowest: 12 },
  { head: 'FROM', narrowest: 7 },
];

function isSet(source: string): boolean {
  return source !== 'default' && source !== 'unset';
}

function describedAs(name: SettingName | undefined): string {
  if (name === undefined) return '';
  const { doc, env = [], flag }: Setting<unknown> = SETTINGS[name];
  const others = [...env, ...(flag === undefined ? [] : [`--${flag}`])].join(', ');
  return others === '' ? `${doc}.` : `${doc}. (${others})`;
}

function fieldsOf({ name, value, source }: SettingView) {
  const { doc, env = [], flag, key: inFile, fallback }: Setting<unknown> = SETTINGS[name];
  return {
    name: settingKey(name),
    value,
    source,
    env,
    flag: flag === undefined ? null : `--${flag}`,
    in_file: inFile !== undefined,
    default: fallback ?? null,
    description: doc,
  };
}

const check: Subcommand = {
  usage: 'check',
  describe: 'Check, without a network, that `run` has all it needs; exit code 2 if not',
  examples: { 'lark-bridge config check': 'Name everything that is missing or wrong' },
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
  key: { describe: 'Name of a setting, as `config list` shows it', offers: 'setting' },
} as const;

const get: Subcommand = {
  usage: 'get <key>',
  describe: 'Print the value of one setting',
  examples: { 'lark-bridge config get hub_port': 'Print the port of the hub' },
  positionals: key,
  run: async ({ options, output, configRequest }) => {
    const name = settingNamed(options['key']);
    const { views } = await checkConfig(configRequest([]));
    const value = views.find((view) => view.name === name)?.value ?? null;
    output.result(value === null ? '' : String(value), value);
  },
};

const set: Subcommand = {
  usage: 'set <key> <value>',
  isForOperator: true,
  describe: 'Write a setting to config.json; an empty value removes it',
  examples: {
    'lark-bridge config set agent claude': 'Give the turns to this agent',
    'lark-bridge config set agent ""': 'Go back to the default',
  },
  positionals: { ...key, value: { describe: 'New value' } },
  run: async (invocation) => {
    const { options, output } = invocation;
    const name = settingNamed(options['key']);
    await saveSetting(name, String(options['value']), invocation.configRequest([]));
    const { views, stateDir } = await checkConfig(invocation.configRequest([]));
    const path = configPath(stateDir);
    output.result(`Saved in ${path}. ${FROM_NEXT_START}`, { name: settingKey(name), path });
    const source = views.find((view) => view.name === name)?.source ?? '';
    if (!source.endsWith('config.json') && isSet(source)) {
      output.note(`Note: ${source} is set too, and is used instead of the file.`);
    }
  },
};

const edit: Subcommand = {
  usage: 'edit',
  isForOperator: true,
  describe: 'Open config.json in $VISUAL or $EDITOR; it is saved only if it is valid',
  examples: { 'lark-bridge config edit': 'Change settings in your editor' },
  run: editConfig,
};

const template: Subcommand = {
  usage: 'template',
  describe: 'Print a config.json with every setting in comments',
  examples: { 'lark-bridge config template': 'Show what can be set' },
  run: ({ output }) => {
    const text = configTemplate().trimEnd();
    output.result(text, { text });
    return Promise.resolve();
  },
};

const where: Subcommand = {
  usage: 'path',
  describe: 'Print where config.json is, or would be',
  examples: { 'lark-bridge config path': 'Print the path' },
  run: ({ output, configRequest }) => {
    const path = configPath(locateStateDir(configRequest([])));
    output.result(path, path);
    return Promise.resolve();
  },
};

export const configCommand: CommandGroup = {
  commands: [list, check, get, set, edit, template, where],
  standard: list,
};

function settingNamed(typed: unknown): SettingName {
  const found = settingRows().find(([name]) => settingKey(name) === typed);
  if (found !== undefined) return found[0];
  const names = settingRows().map(([name]) => settingKey(name));
  throw unknownName('setting', String(typed), { names, list: 'config list' });
}

function textOf(value: SettingView['value']): string {
  return value === null ? '-' : String(value);
}
