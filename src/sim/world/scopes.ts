/** Scopes of a new app: those that a bridge asks for when a person creates it by QR code. */
export const DEFAULT_SCOPES = [
  'im:message.p2p_msg:readonly',
  'im:message.group_at_msg:readonly',
  'im:message:send_as_bot',
  'im:message:readonly',
  'im:message:update',
  'im:message:recall',
  'im:message.reactions:write_only',
  'im:message.reactions:read',
  'im:resource',
  'im:chat:readonly',
  'im:chat.members:bot_access',
  'cardkit:card:write',
  'contact:user.basic_profile:readonly',
] as const;

/** The app gets every message of its groups, not only those that mention the bot, and reads group history. */
export const SCOPE_GROUP_MESSAGES = 'im:message.group_msg';
/** The app gets messages in which other bots mention it. */
export const SCOPE_BOT_MENTIONS = 'im:message.group_at_msg.include_bot:readonly';
/** The app reads its own entry in the developer console. */
export const SCOPE_SELF_MANAGE = 'application:application:self_manage';
/** Events have the sender's `user_id`. */
export const SCOPE_USER_ID = 'contact:user.employee_id:readonly';

export const CARD_CALLBACK = 'card.action.trigger';

/** Events and callbacks that a new app has subscribed to. */
export const DEFAULT_SUBSCRIPTIONS = [
  'im.message.receive_v1',
  'im.message.recalled_v1',
  'im.message.reaction.created_v1',
  'im.message.reaction.deleted_v1',
  'im.chat.member.bot.added_v1',
  'im.chat.member.bot.deleted_v1',
  'im.chat.disbanded_v1',
  'im.chat.access_event.bot_p2p_chat_entered_v1',
  'application.bot.menu_v6',
  CARD_CALLBACK,
] as const;
