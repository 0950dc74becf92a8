import { describe, expect, test } from 'vitest';
import { previewText, visibleText } from '../../../src/sim/cards/card-text.ts';

describe('what a person reads in a card', () => {
  test('is every piece of text, in order', () => {
    const json = JSON.stringify({
      schema: '2.0',
      header: {
        title: { tag: 'plain_text', content: 'Build' },
        subtitle: { tag: 'plain_text', content: 'main' },
        text_tag_list: [{ tag: 'text_tag', text: { tag: 'plain_text', content: 'red' } }],
      },
      body: {
        elements: [
          { tag: 'markdown', content: '**failed**' },
          {
            tag: 'div',
            text: { tag: 'plain_text', content: 'why' },
            fields: [{ text: { tag: 'lark_md', content: 'because' } }],
          },
          { tag: 'hr' },
          { tag: 'img', img_key: 'img_x', alt: { tag: 'plain_text', content: 'graph' } },
          {
            tag: 'collapsible_panel',
            header: { title: { tag: 'plain_text', content: 'Log' } },
            elements: [{ tag: 'markdown', content: 'line' }],
          },
          {
            tag: 'table',
            columns: [{ name: 'k', display_name: 'Key' }, { name: 'v' }],
            rows: [{ k: 'a', v: 1 }],
          },
          {
            tag: 'form',
            elements: [
              { tag: 'input', placeholder: { tag: 'plain_text', content: 'say' } },
              {
                tag: 'select_static',
                placeholder: { tag: 'plain_text', content: 'choose' },
                options: [],
              },
              { tag: 'checker', checked: true, text: { tag: 'plain_text', content: 'sure' } },
              {
                tag: 'button',
                text: { tag: 'plain_text', content: 'Go' },
                value: { tag: 'markdown', content: 'no' },
              },
            ],
          },
          { tag: 'chart', chart_spec: {} },
        ],
      },
    });
    expect(visibleText(json).split('\n')).toEqual([
      'Build',
      'main',
      'red',
      '**failed**',
      'why',
      'because',
      '---',
      '[image: graph]',
      'Log',
      'line',
      'Key | v',
      'a | 1',
      '[input: say]',
      '[select: choose]',
      '[x] sure',
      '[Go]',
      '[chart]',
    ]);
    expect(previewText(json)).toBe('Build');
  });

  test('is found in cards of schema 1.0 and in cards with several languages', () => {
    const note = { tag: 'note', elements: [{ tag: 'plain_text', content: 'n' }] };
    const action = {
      tag: 'action',
      actions: [{ tag: 'button', text: { tag: 'plain_text', content: 'OK' } }],
    };
    expect(visibleText(JSON.stringify({ elements: [note, action] }))).toBe('n\n[OK]');
    expect(visibleText(JSON.stringify({ i18n_elements: { en_us: [note] } }))).toBe('n');
    expect(visibleText('no json')).toBe('');
  });
});
