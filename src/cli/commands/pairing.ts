/** `lark-bridge pairing`: who may talk to the bot. */
import type { Operations } from '../../app/operations.ts';
import type { PersonAccess } from '../../bridge/ports/access.ts';
import { BridgeError } from '../../core/errors.ts';
import { LARK_ID_PATTERN, openId, type OpenId } from '../../core/ids.ts';
import { giveAccessOrder } from '../access-orders.ts';
import type { CommandGroup, Subcommand } from '../command.ts';
import { timeOf } from '../journal-views.ts';
import { withOperations } from '../operator.ts';
import { spanOf } from '../spans.ts';
import { tableOf } from '../table.ts';

const COLUMNS = [
  { head: 'NAME', narrowest: 12 },
  { head: 'STATE' },
  { head: 'CODE' },
  { head: 'VALID FOR' },
  { head: 'OPEN ID' },
];

const list: Subcommand = {
  usage: 'list',
  describe: 'Show who waits, who may talk to the bot, and who is blocked',
  examples: { 'lark-bridge pairing list': 'Show who waits, with their codes' },
  run: (invocation) =>
    withOperations(invocation, async ({ access }) => {
      const people = (await access.people()).map((person) => personView(person, Date.now()));
      const { output } = invocation;
      const rows = people.map(({ open_id, name, state, code, expires_at }) => [
        name ?? '-',
        state ?? '-',
        code ?? '-',
        expires_at === null ? '-' : spanOf(Date.parse(expires_at) - Date.now()),
        open_id,
      ]);
      const table = tableOf(COLUMNS, rows, output.width);
      output.result(rows.length === 0 ? 'Nobody has asked yet.' : table, { people });
    }),
};

const approve: Subcommand = {
  usage: 'approve <who>',
  isForOperator: true,
  describe: 'Let a person talk to the bot; what the person wrote already is answered then',
  positionals: {
    who: { describe: 'Code that the person got, or an open id (ou_…)', offers: 'person' },
  },
  examples: { 'lark-bridge pairing approve K7M4P2QX': 'Let in the person with this code' },
  run: (invocation) =>
    withOperations(invocation, async (operations) => {
      const named = await personNamed(String(invocation.options['who']), operations);
      await giveAccessOrder(invocation, operations, {
        kind: named.byCode ? 'person_pair' : 'person_allow',
        subject: named.openId,
        done: async () => {
          const { app } = await operations.access.known({});
          const isOwner = app.owner === named.openId;
          return `${named.openId} may talk to the bot now${isOwner ? ', and owns it: the bot asks its owner about everybody else' : ''}.`;
        },
      });
    }),
};

const revoke: Subcommand = {
  usage: 'revoke <open_id>',
  isForOperator: true,
  describe: 'Withdraw a permission or a block; the person has to ask again',
  positionals: { open_id: { describe: 'Open id of the person (ou_…)', offers: 'person' } },
  examples: { 'lark-bridge pairing revoke ou_a1b2': 'Make this person ask again' },
  run: (invocation) =>
    withOperations(invocation, async (operations) => {
      const subject = openIdOf(String(invocation.options['open_id']), OPEN_ID_ALONE);
      await giveAccessOrder(invocation, operations, {
        kind: 'person_revoke',
        subject,
        done: `${subject} has to ask again before the bot answers.`,
      });
    }),
};

export const pairingCommand: CommandGroup = {
  commands: [list, approve, revoke],
  standard: list,
};

/** A code that is over is not shown. */
function personView(person: PersonAccess, nowMs: number) {
  const { openId: id, name, code, state, askedAtMs, expiresAtMs } = person;
  const isValid = code !== undefined && expiresAtMs !== undefined && expiresAtMs > nowMs;
  return {
    open_id: id,
    name: name ?? null,
    code: isValid ? code : null,
    state,
    asked_at: askedAtMs === undefined ? null : timeOf(askedAtMs),
    expires_at: isValid ? timeOf(expiresAtMs) : null,
  };
}

async function personNamed(
  typed: string,
  { access, codeOf }: Operations,
): Promise<{ readonly openId: OpenId; readonly byCode: boolean }> {
  const code = codeOf(typed);
  if (code === undefined) return { openId: openIdOf(typed), byCode: false };
  const person = await access.personOf(code);
  if (person !== undefined && (person.expiresAtMs ?? 0) > Date.now()) {
    return { openId: person.openId, byCode: true };
  }
  throw new BridgeError(
    'failed',
    `nobody waits with the code ${code}: a code is valid for an hour`,
    {
      next: 'See who waits with `lark-bridge pairing list`. A person who writes again gets a new code.',
    },
  );
}

const CODE_OR_OPEN_ID = {
  what: 'neither a code nor an open id',
  next: 'Give the 8 characters that the person got, or an open id (ou_…) from `lark-bridge pairing list`.',
};
const OPEN_ID_ALONE = {
  what: 'not an open id',
  next: 'Give the open id (ou_…) that `lark-bridge pairing list` shows.',
};

function openIdOf(typed: string, { what, next } = CODE_OR_OPEN_ID): OpenId {
  if (typed.startsWith('ou_') && LARK_ID_PATTERN.test(typed)) return openId(typed);
  throw new BridgeError('usage', `${typed} is ${what}`, { next });
}
