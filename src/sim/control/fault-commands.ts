import { command, type ControlCommand } from './command.ts';
import { anything, numberIn, object, oneOf, optional, text } from './fields.ts';
import { FAULTS, type FaultKind, type Injection } from '../world/faults.ts';
import { Misuse } from '../world/misuse.ts';

/** A year. No test needs more, and times stay valid dates. */
const ADVANCE_MAX_MS = 366 * 24 * 3_600_000;

/** Faults, connections, redelivery, and the clock. */
export const FAULT_COMMANDS: readonly ControlCommand[] = [
  command({
    method: 'POST',
    path: '/redeliver',
    fields: { app: optional(text) },
    answer: 'count',
    doc: 'sends every event without an ack again at once',
    run: (lark, { app }) => ({ count: lark.redeliverNow(app) }),
  }),
  command({
    method: 'POST',
    path: '/advance',
    fields: { ms: numberIn({ min: 0, max: ADVANCE_MAX_MS, whole: false }) },
    answer: '',
    doc: "moves the cloud's clock forward",
    run: (lark, { ms }) => lark.advance(ms),
  }),
  command({
    method: 'POST',
    path: '/kick',
    fields: { app: optional(text), code: optional(numberIn({ min: 1_000, max: 4_999 })) },
    answer: 'count',
    doc: 'closes connections, with the close code if one is given',
    run: (lark, { app, code }) => {
      if (code !== undefined && !isCloseCode(code)) {
        throw new Misuse(`${code} is not a close code that a server may send`);
      }
      const appId = app === undefined ? undefined : lark.findApp(app).appId;
      return { count: lark.kick({ appId, code }) };
    },
  }),
  command({
    method: 'POST',
    path: '/strangers',
    fields: { app: text, count: numberIn({ min: 0, max: 50 }) },
    answer: '',
    doc: 'another program has `count` connections of the app, and gets its share of the events',
    run: (lark, { app, count }) => lark.setStrangers(app, count),
  }),
  command({
    method: 'POST',
    path: '/revoke-tokens',
    fields: { app: text },
    answer: '',
    doc: 'makes all tokens of the app invalid',
    run: (lark, { app }) => lark.revokeTokens(app),
  }),
  command({
    method: 'GET',
    path: '/faults',
    fields: {},
    answer: 'plan, waiting, counts',
    doc: 'the plan of random faults, the injected faults that are still to happen, and how many happened',
    run: ({ faults }) => ({
      plan: faults.plan(),
      waiting: faults.waiting(),
      counts: faults.counts(),
    }),
  }),
  command({
    method: 'POST',
    path: '/faults',
    fields: {
      kind: { ...oneOf(Object.keys(FAULTS) as FaultKind[]), note: 'the table of faults' },
      times: optional(numberIn({ min: 1, max: 1_000_000 })),
      appId: optional(text),
      path: optional(text),
      method: optional(text),
      body: optional(text),
      eventType: optional(text),
      // Each kind has a few of these. `inject` refuses the others by name.
      delayMs: optional(anything),
      code: optional(anything),
      msg: optional(anything),
      status: optional(anything),
      data: optional(anything),
      payload: optional(anything),
      resetSeconds: optional(anything),
    },
    answer: '',
    doc: 'injects a fault: it happens to the next matching event, connection or call',
    run: (lark, injection) => lark.faults.inject(injection as Injection),
  }),
  command({
    method: 'PUT',
    path: '/faults',
    fields: { rates: object },
    answer: '',
    doc: 'sets how likely each fault is, from 0 to 1',
    run: (lark, { rates }) => lark.faults.setPlan({ rates }),
  }),
  command({
    method: 'DELETE',
    path: '/faults',
    fields: {},
    answer: '',
    doc: 'ends all faults: no plan, nothing injected',
    run: (lark) => lark.faults.calm(),
  }),
];

/** The other codes are reserved for the protocol. The socket would refuse them. */
function isCloseCode(code: number): boolean {
  return (code >= 1_000 && code <= 1_014 && ![1_004, 1_005, 1_006].includes(code)) || code >= 3_000;
}
