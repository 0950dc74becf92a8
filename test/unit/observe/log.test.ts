import { describe, expect, test } from 'vitest';
import { Secret } from '../../../src/core/secret.ts';
import { createLog, type LogOptions } from '../../../src/observe/log.ts';

function logTo(options: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const stream = { write: (line: string) => void lines.push(line) };
  const log = createLog({ level: 'info', format: 'json', stream, ...options });
  return { log, lines, last: () => JSON.parse(lines.at(-1) ?? 'null') as Record<string, unknown> };
}

describe.each(['json', 'text'] as const)('%s', (format) => {
  test('one line an event, from the level up', () => {
    const { log, lines } = logTo({ format, level: 'warn' });
    log.debug('a_seen');
    log.info('b_seen');
    log.warn('c_seen', { turn: 't1' });
    log.error('d_seen');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/c_seen.*t1/);
    for (const line of lines) expect(line).toMatch(/^[^\n]+\n$/);
  });

  test('secrets are masked by type, by name and inside texts', () => {
    const { log, lines } = logTo({ format });
    const body = '{"app_id":"cli_1","app_secret":"hidden"}';
    log.info('call_failed', {
      value: new Secret('hidden'),
      nested: { list: [new Secret('hidden'), { accessToken: 'hidden' }] },
      app_secret: 'hidden',
      'X-Api-Key': 'hidden',
      Authorization: 'Bearer hidden',
      header: 'authorization: Bearer hidden',
      url: 'wss://h/ws?access_key=hidden&ticket=hidden&fpid=1',
      error: new Error(`POST failed: ${body}`),
    });
    expect(lines.join('')).not.toContain('hidden');
    expect(lines.join('')).toContain('cli_1');
    expect(lines.join('')).toContain('fpid=1');
    expect(lines.join('').match(/\[secret\]/g)?.length).toBeGreaterThanOrEqual(9);
  });

  test('numbers and flags about secrets tell nothing and stay', () => {
    const { log, lines } = logTo({ format });
    log.info('x_seen', { hasToken: true, token: '', tokens: 12 });
    expect(lines.join('')).not.toContain('[secret]');
  });

  test('what can not be written as JSON does not break the log', () => {
    const { log, lines } = logTo({ format });
    const round: Record<string, unknown> = {};
    round['round'] = round;
    log.info('x_seen', { round, big: 12n, none: undefined, sign: Symbol('s'), run: () => 1 });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('12');
  });
});

test('json has level, time, event and the fields, flat', () => {
  const { log, last } = logTo();
  log.warn('turn_lost', { turn: 't1', tookMs: 5 });
  expect(last()).toEqual({
    level: 'warn',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
    event: 'turn_lost',
    turn: 't1',
    tookMs: 5,
  });
});

test('text reads as time, level, event and pairs', () => {
  const { log, lines } = logTo({ format: 'text' });
  log.info('turn_answered', { turn: 't1', tookMs: 5, error: 'it broke', none: null });
  expect(lines[0]).toMatch(
    /^\d{4}-\S+Z INFO {2}turn_answered turn=t1 tookMs=5 error="it broke" none=null\n$/,
  );
});

test('a value can not forge a line or steer the terminal', () => {
  const { log, lines } = logTo({ format: 'text' });
  log.info('x_seen', {
    name: 'a\n2026 INFO  forged',
    escape: '\u001B[2J',
    c1: '\u009B2J',
    bidi: '\u202E',
  });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^[^\p{C}]+\n$/u);
});

test('color only where asked for', () => {
  const plain = logTo({ format: 'text' });
  plain.log.error('x_seen');
  expect(plain.lines[0]).not.toContain('\u001B');
  const colored = logTo({ format: 'text', color: true });
  colored.log.error('x_seen');
  expect(colored.lines[0]).toContain('\u001B[31mERROR');
});
