import { describe, expect, test } from 'vitest';
import { doctorText } from '../../../src/cli/doctor-views.ts';
import { note, ok, problem, warning } from '../../../src/doctor/finding.ts';

const report = {
  version: '1.2.3',
  state_dir: '/srv/bot',
  offline: false,
  worst: 'problem',
  exit_code: 3,
  findings: [
    ok('node', 'Node.js 24.'),
    note('traffic', 'No message yet.', { next: 'Write to the bot.' }),
    ok('clock', "The same as Lark's."),
    warning('proxy', 'It is slow.', { reason: 'far away', next: 'Use another one.' }),
    problem('second_process', 'Two run.', {
      reason: 'half each',
      next: 'End one.',
      error: 'usage',
    }),
  ],
} as const;
const text = (more: { width?: number; verbose?: boolean; quiet?: boolean } = {}) =>
  doctorText(report, { width: undefined, verbose: false, quiet: false, ...more }).split('\n');

describe('what doctor shows', () => {
  test('problems first, in words, and what is in order as a number', () => {
    expect(text()).toEqual([
      'lark-bridge 1.2.3, state directory /srv/bot',
      '',
      '✗ other processes: Two run.',
      '  why: half each',
      '  next: End one.',
      '! proxy: It is slow.',
      '  why: far away',
      '  next: Use another one.',
      '· traffic: No message yet.',
      '  next: Write to the bot.',
      '✓ 2 checks in order (--verbose shows them)',
      '',
      '1 problem, 1 warning, 1 note, 2 ok.',
    ]);
  });

  test('--verbose shows each, --quiet only trouble', () => {
    expect(text({ verbose: true })).toContain("✓ clock: The same as Lark's.");
    expect(text({ quiet: true })).toEqual(text().slice(2, 8));
  });

  test('lines that a terminal would break hang below their words', () => {
    expect(text({ width: 20, quiet: true }).slice(-2)).toEqual([
      '  next: Use another',
      '        one.',
    ]);
  });
});
