import type { SimChat } from './model.ts';

const MEMBERS = ['all_members', 'only_owner'];
const VISIBILITY = ['all_members', 'only_owner', 'not_anyone'];

/** Settings of a group by the platform's names, with their possible values. The first is the default. */
export const CHAT_SETTINGS: Readonly<Record<string, readonly string[]>> = {
  chat_type: ['private', 'public'],
  add_member_permission: MEMBERS,
  share_card_permission: ['allowed', 'not_allowed'],
  at_all_permission: MEMBERS,
  edit_permission: MEMBERS,
  membership_approval: ['no_approval_required', 'approval_required'],
  join_message_visibility: VISIBILITY,
  leave_message_visibility: VISIBILITY,
  moderation_permission: ['all_members', 'only_owner', 'moderator_list'],
  urgent_setting: MEMBERS,
  video_conference_setting: MEMBERS,
  hide_member_count_setting: MEMBERS,
};

export function settingOf(chat: SimChat, name: string): string {
  return chat.settings.get(name) ?? CHAT_SETTINGS[name]?.[0] ?? '';
}

/** All settings of a group. */
export function settingsOf(chat: SimChat): Record<string, string> {
  const names = Object.keys(CHAT_SETTINGS);
  return Object.fromEntries(names.map((name) => [name, settingOf(chat, name)]));
}
