/** What is missing or looks wrong in the settings taken together. */
import { isSocksUrl } from './values.ts';
import { SETTINGS } from './settings.ts';
import { type SettingName, settingLabel } from './setting-rows.ts';

/**
 * What a command needs. `lark`: credentials of a Lark app. `platform`: if the settings name a hub elsewhere,
 * everything that is needed to reach it. `state`: a state directory of this user, to work in and not only to look.
 */
export type Need = 'lark' | 'platform' | 'state';

export interface Problem {
  readonly name: SettingName | undefined;
  readonly missing: boolean;
  readonly text: string;
}

const CHANNEL_API_VERSION = '1';

export type Values = Partial<Record<SettingName, unknown>>;

type SourceByName = ReadonlyMap<SettingName, string>;

/** If one of these is set, there is a hub elsewhere. If none is set, the embedded hub is used. */
const HUB_SETTINGS = [
  'platformUrl',
  'workspaceId',
  'workspaceToken',
  'targetWorkspaceId',
  'orgId',
] as const satisfies readonly SettingName[];

/** Settings that are not set, although the command or another setting needs them. */
export function gapsIn(
  values: Values,
  { needs, sourceByName }: { needs: readonly Need[]; sourceByName: SourceByName },
): Problem[] {
  const wanted: SettingName[] = [];
  if (needs.includes('lark')) wanted.push('appId', 'appSecret');
  if (values.tlsCert !== undefined || values.tlsKey !== undefined) wanted.push('tlsCert', 'tlsKey');
  const wantedOfHub = needs.includes('platform') ? platformNeeds(values) : [];
  const gaps = (names: readonly SettingName[], why: string) =>
    names
      .filter((name) => values[name] === undefined)
      .map((name) => {
        const text = `${settingLabel(name)} is not set${why} (${SETTINGS[name].doc})`;
        return { name, missing: true, text };
      });
  const cause = HUB_SETTINGS.find((name) => values[name] !== undefined);
  const isCaused = values.mode !== 'daemon' && cause !== undefined;
  const why = isCaused ? `, but ${sourceByName.get(cause) ?? settingLabel(cause)} is` : '';
  return [...gaps(wanted, ''), ...gaps(wantedOfHub, why)];
}

function platformNeeds(values: Values): SettingName[] {
  if (values.mode === 'daemon') {
    const inherited: SettingName[] = ['platformUrl', 'workspaceId', 'workspaceToken'];
    return values.channelSocket === undefined && values.channelToken === undefined
      ? inherited
      : [...inherited, 'channelApiVersion', 'channelSocket', 'channelToken'];
  }
  return HUB_SETTINGS.some((name) => values[name] !== undefined)
    ? ['platformUrl', 'workspaceId', 'workspaceToken', 'targetWorkspaceId']
    : [];
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Workspace ids that look wrong. They are not refused, because another hub may use ids of any form. */
export function unusualIds(values: Values, sourceByName: SourceByName): string[] {
  const { workspaceId: own, targetWorkspaceId: target } = values;
  const nameOf = (name: SettingName) => sourceByName.get(name) ?? settingLabel(name);
  const unusual = (['workspaceId', 'targetWorkspaceId'] as const).flatMap((name) => {
    const value = values[name];
    if (typeof value !== 'string' || UUID.test(value)) return [];
    return [
      `${nameOf(name)} is "${value}", which is not a UUID. The ids of workspaces on a Molecule platform are UUIDs: check it there.`,
    ];
  });
  const isItself =
    typeof own === 'string' &&
    typeof target === 'string' &&
    own.toLowerCase() === target.toLowerCase();
  if (values.mode === 'daemon' || !isItself) return unusual;
  return [
    ...unusual,
    `${nameOf('targetWorkspaceId')} is the same as ${nameOf('workspaceId')}: the bridge would send the turns to itself. Name the workspace of the agent.`,
  ];
}

/** A proxy is set, but calls would go without it. */
export function unusableProxy({ allProxy, httpsProxy }: Values): string[] {
  if (typeof allProxy !== 'string' || !isSocksUrl(allProxy) || httpsProxy !== undefined) return [];
  return [
    'ALL_PROXY is a SOCKS proxy, which lark-bridge can not use: calls go without it. If they have to go through a proxy, set HTTPS_PROXY to an HTTP proxy.',
  ];
}

/** A host with another version of the channel socket may understand a turn differently (MOL-SOCK-08). */
export function foreignVersion({ mode, channelApiVersion: version }: Values): Problem[] {
  if (mode !== 'daemon' || version === undefined || version === CHANNEL_API_VERSION) return [];
  const text = `${settingLabel('channelApiVersion')} must be ${CHANNEL_API_VERSION}, the only version that this lark-bridge speaks, not ${JSON.stringify(version)}`;
  return [{ name: 'channelApiVersion', missing: false, text }];
}
