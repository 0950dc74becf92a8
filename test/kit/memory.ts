import { readFileSync } from 'node:fs';

const PAGE_BYTES = 4096;

/** The memory that a process holds; of this one, if there is no number. Linux only. */
export function residentBytes(pid: number | undefined): number {
  const [, pages = '0'] = readFileSync(`/proc/${pid ?? 'self'}/statm`, 'utf8').split(' ');
  return Number(pages) * PAGE_BYTES;
}
