/** `lark-bridge doctor`: checks everything that can be wrong, and gives a next step for each. */
import type { DoctorReport } from '../../app/doctor.ts';
import { type Finding, LEVELS } from '../../doctor/finding.ts';
import { type Command, settingFlag } from '../command.ts';

export const doctorCommand: Command = {
  usage: 'doctor',
  options: {
    ...settingFlag('mode'),
    offline: {
      type: 'boolean',
      describe: 'Check only this machine: ask neither Lark nor a hub elsewhere',
    },
  },
  examples: {
    'lark-bridge doctor': 'Check this machine, the app and the connection to Lark',
    'lark-bridge doctor --offline': 'Check only this machine',
  },
  run: async ({ options, output, configRequest }) => {
    const { runDoctor } = await import('../../app/doctor.ts');
    const config = configRequest(['lark', 'platform']);
    const report = await runDoctor({ config, offline: options['offline'] === true });
    output.result(textOf(report), report);
    return report.exit_code;
  },
};

const LEVEL_WIDTH = Math.max(...LEVELS.map((level) => level.length));
const INDENT = ' '.repeat(LEVEL_WIDTH + 2);

function textOf({ version, state_dir: stateDir, findings }: DoctorReport): string {
  return [
    `lark-bridge ${version}, state directory ${stateDir}`,
    '',
    ...findings.flatMap(linesOf),
    '',
    `${countsOf(findings)}.`,
  ].join('\n');
}

function linesOf({ level, check, finding, reason, next }: Finding<string>): string[] {
  return [
    `${level.padEnd(LEVEL_WIDTH)}  ${check}: ${finding}`,
    ...(reason === undefined ? [] : [`${INDENT}why: ${reason}`]),
    ...(next === undefined ? [] : [`${INDENT}next: ${next}`]),
  ];
}

/** Worst first. */
function countsOf(findings: readonly Finding[]): string {
  return LEVELS.toReversed()
    .map((level) => ({ level, count: findings.filter((one) => one.level === level).length }))
    .filter(({ count }) => count > 0)
    .map(({ level, count }) => `${count} ${level}${count === 1 || level === 'ok' ? '' : 's'}`)
    .join(', ');
}
