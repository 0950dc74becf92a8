import type { ControlCommand } from './control.ts';
import { FAULTS, type FaultKind, type Injection } from '../world/faults.ts';
import { Misuse } from '../world/misuse.ts';

/** What happened on the wire, what goes wrong there, and time. */
export const WEATHER_COMMANDS: readonly ControlCommand[] = [
  {
    method: 'GET',
    path: '/calls',
    fields: 'path?, method?, appId?',
    answer: 'calls',
    doc: 'API calls received, oldest first; status 0: never answered',
    run: (lark, fields) => {
      const [path, method, appId] = ['path', 'method', 'appId'].map((name) =>
        fields.textOrNone(name),
      );
      return { calls: lark.calls({ path, method, appId }) };
    },
  },
  {
    method: 'GET',
    path: '/deliveries',
    fields: 'appId?, eventType?',
    answer: 'deliveries',
    doc: 'events, how often they were tried and whether they were acked',
    run: (lark, fields) => {
      const appId = fields.textOrNone('appId');
      const eventType = fields.textOrNone('eventType');
      return {
        deliveries: lark.deliveries({
          ...(appId !== undefined && { appId }),
          ...(eventType !== undefined && { eventType }),
        }),
      };
    },
  },
  {
    method: 'POST',
    path: '/redeliver',
    fields: 'app?',
    answer: 'count',
    doc: 'sends every event without an ack again, now',
    run: (lark, fields) => ({ count: lark.redeliverNow(fields.textOrNone('app')) }),
  },
  {
    method: 'POST',
    path: '/advance',
    fields: 'ms',
    answer: '',
    doc: "moves the cloud's clock forward",
    run: (lark, fields) => {
      const byMs = fields.number('ms');
      if (byMs < 0) throw new Misuse('time goes forward only');
      lark.advance(byMs);
    },
  },
  {
    method: 'POST',
    path: '/kick',
    fields: 'app?, code?',
    answer: 'count',
    doc: 'cuts connections, with a close code if told',
    run: (lark, fields) => {
      const app = fields.textOrNone('app');
      const appId = app === undefined ? undefined : lark.findApp(app).appId;
      return { count: lark.kick({ appId, code: fields.numberOrNone('code') }) };
    },
  },
  {
    method: 'POST',
    path: '/strangers',
    fields: 'app, count',
    answer: '',
    doc: 'so many connections of somebody else take their share of the events',
    run: (lark, fields) => lark.setStrangers(fields.text('app'), fields.number('count')),
  },
  {
    method: 'POST',
    path: '/revoke-tokens',
    fields: 'app',
    answer: '',
    doc: 'all tokens of the app die',
    run: (lark, fields) => lark.revokeTokens(fields.text('app')),
  },
  {
    method: 'GET',
    path: '/faults',
    fields: '',
    answer: 'plan, waiting, counts',
    doc: 'what may go wrong, what will, and what did',
    run: ({ faults }) => ({
      plan: faults.plan(),
      waiting: faults.waiting(),
      counts: faults.counts(),
    }),
  },
  {
    method: 'POST',
    path: '/faults',
    fields: 'kind, times?, appId?, path?, method?, eventType?, and what the kind can be told',
    answer: '',
    doc: 'lets a fault strike at the next fitting occasion',
    run: (lark, fields) => {
      const kind = fields.choice('kind', Object.keys(FAULTS) as FaultKind[]);
      if (kind === undefined) throw new Misuse('kind is missing');
      lark.faults.inject({ ...(fields.all() as Partial<Injection>), kind });
    },
  },
  {
    method: 'PUT',
    path: '/faults',
    fields: 'rates',
    answer: '',
    doc: 'sets how likely each fault is, 0 to 1',
    run: (lark, fields) => lark.faults.setPlan({ rates: fields.objectOrNone('rates') ?? {} }),
  },
  {
    method: 'DELETE',
    path: '/faults',
    fields: '',
    answer: '',
    doc: 'the storm is over: no plan, nothing waiting',
    run: (lark) => lark.faults.calm(),
  },
];
