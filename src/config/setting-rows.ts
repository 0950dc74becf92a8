/** What follows from the table of settings. */
import type { OpenSecret } from '../files/rights.ts';
import { type Setting, SETTINGS } from './settings.ts';

export type SettingName = keyof typeof SETTINGS;

type ValueOf<Row> =
  Row extends Setting<infer T> ? (Row extends { fallback: string } ? T : T | undefined) : never;

/** All settings with their values. `undefined`: it is not set and has no default. */
export type Config = { readonly [Name in SettingName]: ValueOf<(typeof SETTINGS)[Name]> } & {
  /** The user's home folder. No setting changes it. */
  readonly home: string;
  /** The file that holds the workspace's token, if the token comes from a file. */
  readonly workspaceTokenFile: string | undefined;
  /** Files with secrets, named in the settings, that other users may read. */
  readonly openSecrets: readonly OpenSecret[];
};

const ROWS = Object.entries(SETTINGS) as unknown as readonly (readonly [
  SettingName,
  Setting<unknown>,
])[];

/** The table as a list. */
export function settingRows(): readonly (readonly [SettingName, Setting<unknown>])[] {
  return ROWS;
}

/** Its name in lists and in config.json: `hub_port` for `hubPort`. */
export function settingKey(name: SettingName): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** How most people set it: the variable, else the flag, else the key in the file. */
export function settingLabel(name: SettingName): string {
  const row: Setting<unknown> = SETTINGS[name];
  return row.env?.[0] ?? (row.flag === undefined ? settingKey(name) : `--${row.flag}`);
}
