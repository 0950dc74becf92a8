import type { SimApp } from './model.ts';

/** How an app is changed; what is not named stays. */
export interface AppChange {
  readonly name?: string | undefined;
  /** False: the bot ability is off. */
  readonly bot?: boolean | undefined;
  /** All that it has from now on. */
  readonly scopes?: readonly string[] | undefined;
  readonly addScopes?: readonly string[] | undefined;
  readonly removeScopes?: readonly string[] | undefined;
  readonly subscriptions?: readonly string[] | undefined;
}

/** As its developer does in the console. */
export function changeApp(app: SimApp, change: AppChange): void {
  const { scopes, addScopes = [], removeScopes = [], subscriptions } = change;
  if (change.name !== undefined) app.name = change.name;
  if (change.bot !== undefined) app.botEnabled = change.bot;
  if (scopes !== undefined) replaceAll(app.scopes, scopes);
  for (const scope of addScopes) app.scopes.add(scope);
  for (const scope of removeScopes) app.scopes.delete(scope);
  if (subscriptions !== undefined) replaceAll(app.subscriptions, subscriptions);
}

function replaceAll(set: Set<string>, values: readonly string[]): void {
  set.clear();
  for (const value of values) set.add(value);
}
