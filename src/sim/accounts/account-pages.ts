import type { Accounts } from './accounts.ts';
import { appPlanOf } from './app-plan.ts';
import type { Cloud } from '../cloud.ts';
import { textField, type Answer, type Call, type Route } from '../api/http.ts';

/** The pages of the verification link: a person sees what will be created, and approves or denies it. */
export function accountPageRoutes(cloud: Cloud, accounts: Accounts): readonly Route[] {
  return ['/page/launcher', '/page/cli'].flatMap((path): Route[] => [
    { method: 'GET', path, auth: 'none', handle: (call) => askPage(cloud, accounts, call) },
    { method: 'POST', path, auth: 'none', handle: (call) => decide(cloud, accounts, call) },
  ]);
}

function askPage(cloud: Cloud, accounts: Accounts, call: Call): Answer {
  const userCode = call.query.get('user_code') ?? '';
  const state = accounts.stateOf(userCode);
  if (state !== 'pending') return unusablePage(userCode, state);
  const plan = appPlanOf(call.query);
  const people = [...cloud.world.users.values()].map(
    (user) => `<option value="${escape(user.openId)}">${escape(user.name)}</option>`,
  );
  const rows = [
    ['Name', plan.name ?? 'Bot'],
    ['Description', plan.description ?? ''],
    ['Changes the app', plan.appId ?? ''],
    ['Asks for', plan.scopes.join(', ')],
    ['Code', userCode],
  ].filter(([, value]) => value !== '');
  return page(
    'Create an app?',
    `<table>${rows.map(([name, value]) => `<tr><th>${name}</th><td>${escape(value ?? '')}</td></tr>`).join('')}</table>
<form method="post">
<input type="hidden" name="link" value="${escape(call.query.toString())}">
<p><label>You are <select name="as"><option value="">a new person</option>${people.join('')}</select></label>
<label>of <select name="brand"><option value="feishu">Feishu</option><option value="lark">Lark</option></select></label></p>
<p><button name="decision" value="approve">Approve</button> <button name="decision" value="deny">Deny</button></p>
</form>`,
  );
}

function decide(cloud: Cloud, accounts: Accounts, call: Call): Answer {
  const link = new URLSearchParams(textField(call.body, 'link') ?? '');
  const userCode = link.get('user_code') ?? '';
  const state = accounts.stateOf(userCode);
  if (state !== 'pending') return unusablePage(userCode, state);
  const user = cloud.world.users.get(textField(call.body, 'as') ?? '');
  const app = accounts.scan({
    url: `${cloud.baseUrl}${call.path}?${link.toString()}`,
    approve: call.body['decision'] === 'approve',
    brand: call.body['brand'] === 'lark' ? 'lark' : 'feishu',
    ...(user !== undefined && { as: user }),
  });
  if (app === undefined) return page('Denied', '<p>No app was created.</p>');
  return page(
    'Approved',
    `<p>The app <b>${escape(app.name)}</b> (${escape(app.appId)}) is ready. You can close this page.</p>`,
  );
}

function unusablePage(userCode: string, state: string): Answer {
  const reasons: Record<string, string> = {
    unknown: 'No program is waiting for this code.',
    expired: 'This code has expired. Start again in the program that showed it.',
  };
  const reason = reasons[state] ?? 'This code was already approved or denied.';
  const answer = page('This link can’t be used', `<p>${reason}</p><p>${escape(userCode)}</p>`);
  return { ...answer, status: 410 };
}

function page(title: string, body: string): Answer {
  return {
    status: 200,
    body: `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>body{font:16px/1.5 system-ui;max-width:36rem;margin:3rem auto;padding:0 1rem}th{text-align:left;padding-right:1rem;vertical-align:top}button{font:inherit;padding:.4rem 1.2rem}</style>
<h1>${title}</h1>
${body}
<p><small>Simulator of Lark's cloud. It is not connected to the real one.</small></p>
</html>`,
  };
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
}
