/** R4: how many programs live at the same time. */
import { expect, test } from 'vitest';
import { ProgramPlaces } from '../../../../src/agents/acp/places.ts';

const NEVER = new AbortController().signal;
const nothing = () => {};

/** Takes a place, and tells in `order` what happens. */
function waiting(places: ProgramPlaces, name: string, order: string[], signal = NEVER) {
  const leave = places.take(() => order.push(`${name} waits`), signal);
  void leave.then((one) => order.push(one === undefined ? `${name} gave up` : `${name} begins`));
  return leave;
}
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('whoever comes when all places are taken waits, in the order of coming', async () => {
  const places = new ProgramPlaces(1);
  const order: string[] = [];
  const leave = await places.take(nothing, NEVER);
  const second = waiting(places, 'second', order);
  const third = waiting(places, 'third', order);
  await settled();
  expect(order).toEqual(['second waits', 'third waits']);
  leave?.();
  (await second)?.();
  (await third)?.();
  expect(order).toEqual(['second waits', 'third waits', 'second begins', 'third begins']);
  expect(places.taken).toBe(0);
});

test('a place is free once, however often it is left', async () => {
  const places = new ProgramPlaces(2);
  const leave = await places.take(nothing, NEVER);
  await places.take(nothing, NEVER);
  leave?.();
  leave?.();
  expect(places.taken).toBe(1);
});

test('a program without work is ended to make room, and nobody has to be told', async () => {
  const places = new ProgramPlaces(1);
  const order: string[] = [];
  const leave = await places.take(nothing, NEVER);
  places.noteIdle(() => {
    order.push('first ends');
    leave?.();
  });
  await waiting(places, 'second', order);
  expect(order).toEqual(['first ends', 'second begins']);
});

test('a program that becomes idle while somebody waits is ended at once', async () => {
  const places = new ProgramPlaces(1);
  const order: string[] = [];
  const leave = await places.take(nothing, NEVER);
  const second = waiting(places, 'second', order);
  places.noteIdle(() => {
    order.push('first ends');
    leave?.();
  });
  await second;
  expect(order).toEqual(['second waits', 'first ends', 'second begins']);
});

test('a program that works again is not ended', async () => {
  const places = new ProgramPlaces(1);
  const order: string[] = [];
  await places.take(nothing, NEVER);
  places.noteIdle(() => order.push('first ends'))();
  void waiting(places, 'second', order);
  await settled();
  expect(order).toEqual(['second waits']);
});

test('whoever gives up leaves the line', async () => {
  const places = new ProgramPlaces(1);
  const order: string[] = [];
  const leave = await places.take(nothing, NEVER);
  const given = new AbortController();
  const second = waiting(places, 'second', order, given.signal);
  const third = waiting(places, 'third', order);
  given.abort();
  expect(await second).toBeUndefined();
  leave?.();
  expect(await third).toBeDefined();
  expect(await places.take(nothing, given.signal)).toBeUndefined();
  expect(order).toEqual(['second waits', 'third waits', 'second gave up', 'third begins']);
});
