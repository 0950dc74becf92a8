/** What can be pressed in a card. */
import { isJsonObject, type JsonObject } from '../../world/json.ts';
import { contentOf, textIn, type Place } from './card-texts.ts';
import type { Block, ButtonBlock, Confirm, ContainerBlock, Press } from './nodes.ts';
import { plainBlocks } from './plain.ts';
import { safeUrl } from './scan.ts';

export function buttonBlock(node: JsonObject, place: Place): ButtonBlock {
  return {
    kind: 'button',
    label: contentOf(node['text']),
    look: lookOf(textIn(node, 'type')),
    isDisabled: node['disabled'] === true,
    press: pressOf(node, place),
  };
}

/** A box with things in it, which is pressed as a whole. */
export function containerBlock(node: JsonObject, place: Place): ContainerBlock {
  const blocks: readonly Block[] = place.draw(node['elements'], place);
  const isPressable = place.buttonOf(node) !== undefined && node['disabled'] !== true;
  return {
    kind: 'container',
    press: isPressable ? pressOf(node, place) : undefined,
    label: plainBlocks(blocks).split('\n')[0] ?? '',
    blocks,
  };
}

export function confirmOf(node: JsonObject): Confirm | undefined {
  const { confirm } = node;
  if (!isJsonObject(confirm)) return undefined;
  return { title: contentOf(confirm['title']), text: contentOf(confirm['text']) };
}

function pressOf(node: JsonObject, place: Place): Press {
  const button = place.buttonOf(node);
  const url = button?.url === undefined ? undefined : safeUrl(button.url);
  const action = node['form_action_type'] ?? node['action_type'];
  return {
    index: button?.tellsApp === true ? button.index : undefined,
    url,
    confirm: confirmOf(node),
    submits: button?.formFields !== undefined,
    resets: action === 'reset' || action === 'form_reset',
  };
}

function lookOf(type: string): ButtonBlock['look'] {
  if (type.startsWith('primary')) return 'primary';
  if (type.startsWith('danger')) return 'danger';
  return type === 'text' ? 'text' : 'default';
}
