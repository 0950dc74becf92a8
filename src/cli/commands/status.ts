/** `lark-bridge status`: whether the daemon of a state directory runs, and how it is. */
import type { Status } from '../../app/status.ts';
import type { HealthReport } from '../../observe/health/health.ts';
import type { Command } from '../command.ts';

export const statusCommand: Command = {
  usage: 'status',
  examples: {
    'lark-bridge status': 'Look how the bot is; exit code 1 if it is not ready',
    'lark-bridge status --json': 'The same for a script',
  },
  run: async (invocation) => {
    const config = await invocation.loadConfig([]);
    const { readStatus } = await import('../../app/status.ts');
    const status = await readStatus(config);
    const { running, pid, alive_at: aliveAt, health, daemon, counts } = status;
    // Shown above in sentences.
    const { health: _shownAbove, ...facts } = daemon ?? {};
    const first = running ? `Running, process ${pid ?? '?'}.` : 'Not running.';
    const lines = [
      `${first} State directory: ${status.state_dir}`,
      ...linesOf(health),
      ...(aliveAt === undefined ? [] : [`Latest status: ${aliveAt}`]),
      ...(counts === undefined ? [] : [sentenceOf(counts)]),
      ...pairs(facts),
    ];
    invocation.output.result(lines.join('\n'), status);
    return health.ready ? 0 : 1;
  },
};

function linesOf({ ready, problems, notes }: HealthReport): string[] {
  const troubles = problems.map(
    ({ code, since, text }) => `Not ready (${code}, since ${since}): ${text}`,
  );
  return [...(ready ? ['Health: ready.'] : troubles), ...notes.map(({ text }) => `Note: ${text}`)];
}

function sentenceOf(counts: NonNullable<Status['counts']>): string {
  const { waiting, running, held, failed_last_day: failed, dead_letters: dead } = counts;
  return `Turns: ${waiting} waiting, ${running} running, ${held} held, ${failed} failed in the last day. Dead letters: ${dead}.`;
}

function pairs(values: object, prefix = ''): string[] {
  return Object.entries(values).flatMap(([name, value]: [string, unknown]) =>
    typeof value === 'object' && value !== null
      ? pairs(value, `${prefix}${name}.`)
      : [prefix + pairOf(name, value)],
  );
}

/** A time in milliseconds is shown as a date, and how long ago it was. */
function pairOf(name: string, value: unknown): string {
  const [, event] = /^(.*(?:At|since))Ms$/.exec(name) ?? [];
  if (event === undefined || typeof value !== 'number') return `${name}: ${String(value)}`;
  const agoSecs = Math.max(0, Math.round((Date.now() - value) / 1000));
  return `${event}: ${new Date(value).toISOString()} (${agoSecs} s ago)`;
}
