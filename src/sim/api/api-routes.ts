import type { Cloud } from '../cloud.ts';
import type { Route } from './http.ts';
import { cardTokenRoutes } from '../cards/card-tokens.ts';
import { cardRoutes } from '../cards/cards.ts';
import { appInfoRoutes } from './app-info.ts';
import { urgentFollowUpRoutes } from './urgent-follow-ups.ts';
import { avatarRoutes } from './avatars.ts';
import { botRoutes } from './bot.ts';
import { chatRoutes } from './chats.ts';
import { contactRoutes } from './contacts.ts';
import { ephemeralRoutes } from './ephemeral.ts';
import { fileRoutes } from './files.ts';
import { groupMemberRoutes } from './group-members.ts';
import { groupRoutes } from './groups.ts';
import { messageEditRoutes } from './message-edits.ts';
import { messageListRoutes } from './message-list.ts';
import { messageReaderRoutes } from './message-readers.ts';
import { messageRoutes } from './messages.ts';
import { pinRoutes } from './pins.ts';
import { reactionRoutes } from './reactions.ts';
import { tokenRoutes } from './token-routes.ts';

/**
 * All routes of Lark's API that the simulator has. Those for documents, tasks and meetings (drive,
 * wiki, docx, sheets, bitable, task, vc) are left out: the simulator is for bots in chats.
 */
export function apiRoutes(cloud: Cloud): readonly Route[] {
  return [
    tokenRoutes,
    botRoutes,
    appInfoRoutes,
    avatarRoutes,
    messageRoutes,
    messageEditRoutes,
    messageListRoutes,
    messageReaderRoutes,
    reactionRoutes,
    pinRoutes,
    urgentFollowUpRoutes,
    ephemeralRoutes,
    cardRoutes,
    cardTokenRoutes,
    fileRoutes,
    contactRoutes,
    chatRoutes,
    groupRoutes,
    groupMemberRoutes,
  ].flatMap((routes) => routes(cloud));
}
