import { describe, expect, test } from 'vitest';
import { APP_NEEDS, CALLBACK_NEEDS, EVENT_NEEDS } from '../../../src/lark/app-needs.ts';
import type { AppFact } from '../../../src/lark/facts.ts';
import { inEnglish } from '../../../src/doctor/finding.ts';
import { checkRights, checkTraffic } from '../../../src/doctor/rights.ts';

const PAGES = {
  permissions: 'page:auth',
  grant: (scopes: readonly string[]) => `page:auth?q=${scopes.join(',')}&`,
  events: 'page:event',
  callbacks: 'page:callback',
};
const ALL_EVENTS = APP_NEEDS.events.map(({ name }) => name);
const without = ({ name }: { readonly name: string }) =>
  ALL_EVENTS.filter((event) => event !== name);
const SOUND: AppFact = {
  scopes: APP_NEEDS.scopes.map(({ anyOf }) => anyOf[0]),
  events: ALL_EVENTS,
  callbacks: [CALLBACK_NEEDS.button.name],
  callbacksElsewhere: false,
};
const checked = (app: Partial<AppFact>) =>
  checkRights({ kind: 'ok', value: { ...SOUND, ...app } }, APP_NEEDS, PAGES).map(inEnglish);
const odd = (app: Partial<AppFact>) => checked(app).filter(({ level }) => level !== 'ok');

test('all granted and subscribed', () => {
  expect(checked({}).map(({ level }) => level)).toEqual(['ok', 'ok', 'ok']);
});

test('an app that may not read its own permissions gets a note', () => {
  const found = checkRights(
    { kind: 'refused', reason: 'permission_missing', detail: 'no', credentials: false },
    APP_NEEDS,
    PAGES,
  );
  expect(found.map(({ level }) => level)).toEqual(['note']);
  expect(found[0]?.next).toContain('application:application:self_manage');
});

describe('permissions', () => {
  test('one that nothing works without is a problem, others are warnings, in one step', () => {
    const scopes = SOUND.scopes?.filter((name) => !/send_as_bot|reactions:write/.test(name));
    const found = odd({ scopes });
    expect(found.map(({ level }) => level)).toEqual(['problem', 'warning']);
    expect(new Set(found.map(({ next }) => next)).size).toBe(1);
    expect(found[0]?.next).toContain(
      'page:auth?q=im:message:send_as_bot,im:message.reactions:write_only&',
    );
  });

  test('a broader one will do', () => {
    expect(
      odd({
        scopes: [
          'im:message',
          'im:chat',
          'im:resource',
          'contact:user.basic_profile:readonly',
          'im:message.group_msg',
          'cardkit:card:write',
          'im:chat.access_event.bot_p2p_chat:read',
        ],
      }),
    ).toEqual([]);
  });

  test('one that people may well not want to grant is a note', () => {
    const scopes = SOUND.scopes?.filter((name) => name !== 'im:message.group_msg');
    const found = checked({ scopes }).filter(({ check }) => check === 'permissions');
    expect(found.map(({ level }) => level)).toEqual(['ok', 'note']);
    expect(found[1]?.reason).toContain('in groups');
  });

  test('what `connect` leaves out is named with the page that grants it', () => {
    const scopes = SOUND.scopes?.filter((name) => !/contact:|bot_p2p_chat/.test(name));
    const found = odd({ scopes, events: without(EVENT_NEEDS.entered) });
    expect(found.map(({ level }) => level)).toEqual(['note', 'note', 'note']);
    expect(found[0]?.next).toContain(
      'page:auth?q=contact:user.basic_profile:readonly,im:chat.access_event.bot_p2p_chat:read&',
    );
    expect(found[2]?.next).toContain('page:event');
  });
});

describe('events and callbacks', () => {
  test.each<[string, Partial<AppFact>, string]>([
    ['no messages', { events: without(EVENT_NEEDS.message) }, 'problem'],
    ['no recalls', { events: without(EVENT_NEEDS.recall) }, 'warning'],
    ['no menu', { events: without(EVENT_NEEDS.menu) }, 'warning'],
    ['nothing told about events', { events: undefined }, 'note'],
    ['no buttons', { callbacks: [] }, 'warning'],
    ['buttons by web hook', { callbacksElsewhere: true }, 'warning'],
  ])('%s', (_what, app, level) => {
    expect(odd(app).map((finding) => finding.level)).toEqual([level]);
  });
});

describe('traffic', () => {
  const nowMs = Date.parse('2026-03-01T12:00:00Z');

  test('none yet', () => {
    const none = { messageAtMs: undefined, buttonAtMs: undefined, nowMs };
    expect(checkTraffic(none).level).toBe('note');
  });

  test('what came last, and how long ago', () => {
    const found = checkTraffic({
      messageAtMs: nowMs - 90 * 60_000,
      buttonAtMs: nowMs - 49 * 3_600_000,
      nowMs,
    });
    expect(found).toMatchObject({ level: 'ok' });
    expect(found.finding).toContain('2026-03-01T10:30:00.000Z (90 min ago)');
    expect(found.finding).toContain('(49 h ago)');
  });
});
