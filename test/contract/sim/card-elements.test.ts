import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { visibleText } from '../../../src/sim/cards/card-text.ts';
import type { SimCard } from '../../../src/sim/world/model.ts';
import { type CardRig, cardOf, md, openCardRig } from './card-rig.ts';
import { codeOf } from './sdk-client.ts';

let rig: CardRig;

beforeEach(async () => {
  rig = await openCardRig();
});

afterEach(() => rig.lark.stop());

describe('elements of an entity', () => {
  const at = (one: SimCard, id = 'md') => ({ card_id: one.cardId, element_id: id });

  function add(
    one: SimCard,
    data: { type: 'insert_before' | 'insert_after' | 'append'; target_element_id?: string },
    elements: unknown,
  ) {
    rig.sequence += 1;
    return rig.client.cardkit.v1.cardElement.create({
      path: { card_id: one.cardId },
      data: { ...data, sequence: rig.sequence, elements: JSON.stringify(elements) },
    });
  }

  test('are added before, after and at the end, also of a container', async () => {
    const column = { tag: 'column', element_id: 'col', elements: [] };
    const one = await rig.entity(cardOf([md('middle'), { tag: 'column_set', columns: [column] }]));
    await add(one, { type: 'insert_before', target_element_id: 'md' }, [md('first', 'a')]);
    await add(one, { type: 'insert_after', target_element_id: 'md' }, [md('third', 'b')]);
    await add(one, { type: 'append', target_element_id: 'col' }, [md('inside', 'c')]);
    await add(one, { type: 'append' }, [md('last', 'd')]);
    expect(visibleText(one.json)).toBe('first\nmiddle\nthird\ninside\nlast');
  });

  test.each<
    [string, { type: 'insert_after' | 'append'; target_element_id?: string }, unknown, number]
  >([
    [
      'an unknown neighbour',
      { type: 'insert_after', target_element_id: 'x' },
      [md('a', 'n')],
      300315,
    ],
    [
      'a container that holds nothing',
      { type: 'append', target_element_id: 'md' },
      [md('a', 'n')],
      300315,
    ],
    ['no elements', { type: 'append' }, 'text', 300315],
    ['a taken id', { type: 'append' }, [md('a')], 300301],
    ['a way that does not exist', { type: 'prepend' as 'append' }, [md('a', 'n')], 10002],
  ])('are not added with %s', async (_what, data, elements, code) => {
    expect(await codeOf(add(await rig.entity(), data, elements))).toBe(code);
  });

  test('are replaced, changed and deleted', async () => {
    const { cardElement } = rig.client.cardkit.v1;
    const one = await rig.entity(cardOf([md('a'), md('b', 'two')]));
    const element = JSON.stringify({ tag: 'plain_text', element_id: 'new', content: 'A' });
    await cardElement.update({ path: at(one), data: { element, sequence: 1 } });
    const partial_element = JSON.stringify({ content: 'B' });
    await cardElement.patch({ path: at(one, 'two'), data: { partial_element, sequence: 2 } });
    expect(visibleText(one.json)).toBe('A\nB');
    await cardElement.delete({ path: at(one, 'new'), data: { sequence: 3 } });
    expect(visibleText(one.json)).toBe('B');
  });

  test('an edit of an unknown element, or of a tag, is refused', async () => {
    const { cardElement } = rig.client.cardkit.v1;
    const one = await rig.entity();
    const element = JSON.stringify(md('x'));
    const tagged = JSON.stringify({ tag: 'hr' });
    const path = at(one, 'nobody');
    expect(await codeOf(cardElement.update({ path, data: { element, sequence: 1 } }))).toBe(300121);
    expect(
      await codeOf(cardElement.patch({ path, data: { partial_element: element, sequence: 1 } })),
    ).toBe(300313);
    expect(await codeOf(cardElement.delete({ path, data: { sequence: 1 } }))).toBe(300314);
    const change = cardElement.patch({
      path: at(one),
      data: { partial_element: tagged, sequence: 1 },
    });
    expect(await codeOf(change)).toBe(300312);
  });

  test('a batch changes all elements or none', async () => {
    const one = await rig.entity(cardOf([md('a'), md('b', 'two')]));
    const actions = [
      {
        action: 'partial_update_element',
        params: { element_id: 'md', partial_element: { content: 'A' } },
      },
      { action: 'update_element', params: { element_id: 'two', element: { tag: 'hr' } } },
      { action: 'add_elements', params: { type: 'append', elements: [md('c', 'three')] } },
      {
        action: 'partial_update_setting',
        params: { settings: { config: { streaming_mode: false } } },
      },
    ];
    const broken = [...actions, { action: 'delete_elements', params: { element_ids: ['nobody'] } }];
    expect(await codeOf(rig.batch(one, broken))).toBe(300314);
    expect(visibleText(one.json)).toBe('a\nb');
    await rig.batch(one, actions);
    expect(visibleText(one.json)).toBe('A\n---\nc');
    expect(one.streamingSinceMs).toBeUndefined();
    expect(await codeOf(rig.batch(one, [{ action: 'dance', params: {} }]))).toBe(10002);
  });

  test('invalid settings are refused', async () => {
    const one = await rig.entity();
    expect(await codeOf(rig.settings(one, 'text'))).toBe(300122);
    expect(await codeOf(rig.settings(one, { body: {} }))).toBe(300122);
    expect(await codeOf(rig.settings(one, { config: { update_multi: false } }))).toBe(300302);
  });

  test('a whole new card replaces all of them', async () => {
    const one = await rig.entity();
    await rig.sendEntity(one);
    await rig.replace(one, cardOf([md('done', 'other')], {}));
    expect(rig.shown()).toBe('done');
    expect(one.streamingSinceMs).toBeUndefined();
    expect(await codeOf(rig.replace(one, { elements: [] }))).toBe(300303);
  });
});
