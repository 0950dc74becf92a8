import { expect, test } from 'vitest';
import { stopAll } from '../../../src/time/service.ts';
import { noteOpen, notedUntilStopped, openParts } from '../../../src/host/open-parts.ts';
import { recordingLog } from '../../kit/log.ts';

test('what is not closed yet is named in the order of the stop, and nothing after it', async () => {
  const seen: string[][] = [];
  const service = (name: string) => ({
    name,
    start: () => Promise.resolve(),
    stop: () => {
      seen.push(openParts());
      return name === 'broken' ? Promise.reject(new Error('broken')) : Promise.resolve();
    },
  });
  const started = noteOpen('start');
  expect(openParts()).toEqual(['start']);
  started();
  const services = notedUntilStopped(['first', 'broken', 'last'].map(service));
  await stopAll(services, recordingLog());
  expect(seen).toEqual([['last', 'broken', 'first'], ['broken', 'first'], ['first']]);
  expect(openParts()).toEqual([]);
});
