/** `connect --permissions`: asks for permissions and events of the bot that is connected. */
import { appId } from '../core/ids.ts';
import type { Invocation } from './command.ts';
import { viewFor } from './connect-bot.ts';

export async function askForPermissions(invocation: Invocation, endAtMs: number): Promise<void> {
  const { options, output, loadConfig, signal } = invocation;
  const config = await loadConfig(['lark']);
  if (config.appId === undefined) {
    throw new Error('settings were loaded without the need for a Lark app');
  }
  const typed = String(options['permissions']).split(',');
  const names = typed.map((name) => name.trim()).filter((name) => name !== '');
  const { askForMore } = await import('../app/connect-more.ts');
  const view = await viewFor(invocation, config);
  const app = appId(config.appId);
  try {
    const granted = await askForMore({
      config,
      app,
      names,
      timeoutMs: endAtMs - Date.now(),
      signal,
      onEvent: (event) => view.show(event),
    });
    view.close();
    const all = [...granted.scopes, ...granted.events, ...granted.callbacks];
    output.result(`The bot ${app} has: ${all.join(', ')}`, {
      event: 'done',
      app_id: app,
      tenant_brand: config.brand,
      ...granted,
    });
  } finally {
    view.close();
  }
}
