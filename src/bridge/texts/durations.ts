/** How long something took or lasts, in words. */
import type { Language } from '../../core/language.ts';

const UNITS = [
  { ms: 86_400_000, en: ['day', 'days'], zh: '天' },
  { ms: 3_600_000, en: ['hour', 'hours'], zh: '小时' },
  { ms: 60_000, en: ['minute', 'minutes'], zh: '分钟' },
] as const;

/** In the largest unit that fits, rounded down. */
export function durationIn(language: Language, durationMs: number): string {
  const unit = UNITS.find(({ ms }) => durationMs >= ms);
  const count = Math.max(0, Math.floor(durationMs / (unit?.ms ?? 1_000)));
  if (language === 'zh') return `${count} ${unit?.zh ?? '秒'}`;
  const [one, many] = unit?.en ?? ['second', 'seconds'];
  return `${count} ${count === 1 ? one : many}`;
}
