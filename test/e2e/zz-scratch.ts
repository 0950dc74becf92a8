import { mkdirSync, writeFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { publishMessage, publishEdit } from '../../src/sim/socket/events.ts';
import { SAMPLE_TYPES } from '../../src/sim/control/sample-content.ts';
import { seeded } from '../sim/random.ts';
import { residentBytes } from '../kit/memory.ts';
import { Rig, RUN } from './rig.ts';

const AGENT = `
text=$(cat)
case "$text" in
  file:*) cat "$HOME/answers/\${text#file:}" ;;
  out:*) cp "$HOME/out/\${text#out:}"/* "$LARK_OUTPUT_DIR"/ ;;
  slow*) sleep 3; echo "did $text" ;;
  *) printf 'got %s bytes: %s' "$(printf '%s' "$text" | wc -c)" "$(printf '%s' "$text" | head -c 300)" ;;
esac`;

const INVISIBLE = /[\s\p{Cc}\p{Cf}\u2800\u3164\u115F\u1160\u{E0000}-\u{E0FFF}\u034F\u180B-\u180E\uFE00-\uFE0F]/gu;

export async function main(words: string[]): Promise<number> {
  const seed = Number(words[1] ?? '1');
  const which = words[0] ?? 'all';
  const rig = await Rig.open({ rateLimits: false, messagesPerChatMax: 5000, keptMax: 5000 } as never);
  try {
    await rig.addAgent('a', AGENT);
    mkdirSync(join(rig.home, 'answers'));
    const scratch = new Scratch(rig, seed);
    for (const [name, run] of Object.entries(scratch.scenarios())) {
      if (which !== 'all' && !which.split(',').includes(name)) continue;
      console.log(`== ${name}`);
      await run();
    }
    for (const bug of rig.bugs()) console.log('BUG', bug.slice(0, 600));
    writeFileSync('/tmp/bt/log.txt', scratch.bridge?.stderr ?? '');
  } finally {
    await rig.close();
  }
  return 0;
}

class Scratch {
  bridge: Awaited<ReturnType<Rig['run']>> | undefined;
  n = 0;
  rig: Rig; seed: number; constructor(rig: Rig, seed: number) { this.rig = rig; this.seed = seed; }
  async start(env: Record<string, string> = {}, words: readonly string[] = RUN) {
    await this.bridge?.stop();
    this.bridge = await this.rig.run({ words, env: { LARK_BRIDGE_BURST_WAIT_SECS: '0', LARK_BRIDGE_CALL_LIMITS: 'off', HOME: this.rig.home, ...env } });
  }
  look(name: string, chat: any, max = 300) {
    const replies = this.rig.replies(chat).filter((r: any) => !r.recalled);
    if (replies.length === 0) console.log(`SILENT ${name}`);
    for (const r of replies) {
      if (r.text.replace(INVISIBLE, '') === '' ) console.log(`BLANK ${name} ${r.type} ${JSON.stringify(r.text).slice(0, 200)} ${JSON.stringify(r.content ?? r.card?.json).slice(0, 300)}`);
    }
    console.log(`  ${name}: ${replies.map((r: any) => `${r.type}:${JSON.stringify(r.text).slice(0, max)}`).slice(0, 4).join(' | ')}${replies.length > 4 ? ` … ${replies.length}` : ''}`);
  }
  rep(chat: any): any[] { return chat.messages.filter((m: any) => m.sender.kind === 'app').map((m: any) => { try { return this.rig.cloud.shows(chat).find((x: any) => x.messageId === m.messageId) ?? { text: '?' }; } catch { return { type: m.msgType, text: m.content }; } }); }
  mb() { return Math.round(residentBytes(this.bridge?.child.pid) / 1e6); }
  raw(chat: any, user: any, msgType: string, content: string, mentions: any[] = []) {
    const m = this.rig.cloud.world.post({ chat, sender: { kind: 'user', openId: user.openId }, msgType, content, mentions });
    publishMessage(this.rig.cloud.cloud, m);
    this.rig.cloud.cloud.changes.notify();
    return m;
  }
  async settle(chats: any[], ms = 30000) {
    const until = Date.now() + ms;
    while (Date.now() < until && chats.some((c) => this.rep(c).length === 0)) await sleep(100);
    await sleep(100);
  }
  scenarios(): Record<string, () => Promise<void>> {
    return {
      live: async () => {
        const STREAM = String.raw`
const { existsSync, appendFileSync } = require('node:fs');
const say = (o) => process.stdout.write((typeof o === 'string' ? o : JSON.stringify(o)) + '\n');
const lines = require('node:readline').createInterface({ input: process.stdin });
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
let asked = () => {};
lines.on('line', async (line) => {
  const turn = JSON.parse(line);
  if (turn.type !== 'turn') { asked(turn); return; }
  const [what] = turn.text.split(' ');
  if (what === 'grow') { for (let i = 0; i < 40; i++) { say({ type: 'text', text: 'word' + i + ' ' }); await sleep(150); } process.exit(0); }
  if (what === 'steps') { for (let i = 0; i < 1000; i++) say({ type: 'step', id: String(i), title: 'x'.repeat(10000) + '<at id=all></at>\u202e\n# h', status: i % 2 ? 'done' : 'failed' }); await sleep(2500); say({ type: 'final', text: 'ok' }); process.exit(0); }
  if (what === 'weird') { for (const o of [null, 5, 'x', [], {}, { type: 5 }, { type: 'text' }, { type: 'text', text: 5 }, { type: 'status', text: '\u200b' }, { type: 'status', text: '' }, { type: 'step' }, { type: 'step', id: '', title: '', status: 'nope' }, { type: 'step', id: 'a', title: '\ud800', status: 'running' }, { type: 'final' }, { type: 'ask' }, { type: 'ask', id: '1', text: '', options: [] }, { type: 'ask', id: '1', text: 'x', options: [{ id: 'a', label: '' }] }, { type: 'ask', id: '2', text: '<at id=all></at>', options: [{ id: 'a', label: '\u200b' }, { id: 'a', label: 'b' }] }]) say(o); say('not json \u001b[31m'); say('{"type":"text","text":"\\ud800"}'); await sleep(2500); say({ type: 'final', text: 'ok' }); process.exit(0); }
  if (what === 'ask') { const n = await new Promise((r) => { asked = r; say({ type: 'ask', id: '1', text: '<at id=all></at> **b** {0} \u202e\n[x](javascript:1) ' + 'y'.repeat(500), options: [{ id: 'a', label: '<at id=all></at>\n\u202e{0}' }, { id: 'b', label: '/stop' }, { id: '1', label: '2' }] }); }); say({ type: 'final', text: 'told ' + JSON.stringify(n).slice(0, 300) }); process.exit(0); }
  if (what === 'invisible') { for (let i = 0; i < 20; i++) { say({ type: 'text', text: '\u200b\n' }); await sleep(150); } process.exit(0); }
  if (what === 'big') { for (let i = 0; i < 40; i++) { say({ type: 'text', text: '- word '.repeat(3000) + '\n' }); await sleep(150); } process.exit(0); }
  if (what === 'bomb') { say({ type: 'text', text: '> '.repeat(5000) }); await sleep(1500); say({ type: 'text', text: '\u0060\u0060\u0060\n' + 'x\n'.repeat(50000) }); await sleep(1500); say({ type: 'text', text: '['.repeat(200000) }); await sleep(1500); process.exit(0); }
  if (what === 'crash') { say({ type: 'text', text: 'half' }); await sleep(2500); process.exit(9); }
  if (what === 'ats') { say({ type: 'status', text: '<at id=all></at>' }); say({ type: 'text', text: '<at user_id="all"></at> @_all <at id=all></at>' }); await sleep(2500); process.exit(0); }
});`;
        writeFileSync(join(this.rig.home, 's.cjs'), STREAM);
                const r = await this.rig.command(['agents', 'add', 'st', '--stream', '--exec', `'${process.execPath}' '${join(this.rig.home, 's.cjs')}'`]);
        if (r.code) { const r2 = await this.rig.command(['agents', 'add', 'st', '--stream', '--exec', `'${process.execPath}' '${join(this.rig.home, 's.cjs')}'`]); console.log(r.stderr, r2.code, r2.stderr); }
        await this.start({ LARK_BRIDGE_AGENT: 'st' });
        const scopes = new Set(this.rig.app.scopes);
        const one = async (name: string, text: string, mid: (chat: any, card: any, user: any, m: any) => void | Promise<void> = () => {}, wait = 9000, group = false) => {
          const u = this.rig.direct(`U${this.n++}`);
          const chat = group ? this.rig.cloud.addGroup({ name: 'g', members: [u.user], apps: [this.rig.app] }) : u.chat;
          const m = group ? this.rig.cloud.say({ chat, from: u.user, text: `{0} ${text}`, mentions: [this.rig.app] }) : this.rig.cloud.say({ chat, from: u.user, text });
          const until = Date.now() + 12000;
          while (Date.now() < until && !this.rig.replies(chat).some((r: any) => r.type === 'interactive')) await sleep(50);
          await sleep(700);
          await mid(chat, this.rig.replies(chat).find((r: any) => r.type === 'interactive'), u.user, m);
          await sleep(wait);
          this.look(name, chat, 200);
          for (const x of this.rig.replies(chat)) { const j = JSON.stringify(x.card?.json ?? {}); if (/"streaming_mode":true/.test(j)) console.log('   STILL STREAMING', name); if ((x.card?.buttons ?? []).length) console.log('   BUTTONS', name, x.card?.buttons.map((b: any) => b.label)); }
          for (const x of (chat as any).messages) if (x.sender.kind === 'app') { const c = this.rig.cloud.world.cardOf ? (x.msgType === 'interactive' ? this.rig.cloud.world.cardOf(x) : x.content) : x.content; if (/<at (user_id|id)=\\?"?all/.test(c)) console.log('ATALL', name, c.slice(0, 400)); }
          return chat;
        };
        const jobs: (() => Promise<any>)[] = [
          () => one('recalled card', 'grow', (c, card) => this.rig.cloud.recall(card.messageId)),
          () => one('plain', 'grow'), () => one('weird', 'weird'), () => one('steps', 'steps'), () => one('invisible', 'invisible'), () => one('crash', 'crash'), () => one('ats', 'ats'), () => one('big', 'big', () => {}, 15000), () => one('bomb', 'bomb', () => {}, 12000),
          () => one('question recalled', 'grow', (c, card, u, m) => this.rig.cloud.recall(m.messageId)),
          () => one('bot removed', 'grow', (c, card, u) => this.rig.cloud.removeBot(c, this.rig.app, u), 9000, true),
          () => one('dissolved', 'grow', (c, card, u) => this.rig.cloud.dissolve(c, u), 9000, true),
          () => one('ask typed', 'ask', async (c, card, u) => { this.rig.cloud.say({ chat: c, from: u, text: '/stop' }); }, 4000),
          () => one('ask press', 'ask', async (c, card, u) => { const out = await this.rig.cloud.pressOnCard(card.messageId, u, { index: 0 }); console.log('toast', JSON.stringify(out)); }, 4000),
          () => one('ask fuzz', 'ask', async (c, card, u) => { const v = card.card.buttons[0].value; const rr = seeded(7); const vals = [null, 5, '', 'x', [], {}, 'x'.repeat(100000), '__proto__', '\ud800', -1, 1e308, true]; for (let i = 0; i < 60; i++) { const value: any = { ...v }; for (const k of Object.keys(value)) if (rr() < 0.4) value[k] = vals[Math.floor(rr() * vals.length)]; if (JSON.stringify(value) === JSON.stringify(v)) continue; const o: any = await this.rig.cloud.pressButton({ messageId: card.messageId, from: u, value, action: { tag: 'button', form_value: vals[Math.floor(rr() * vals.length)] as any, name: vals[Math.floor(rr() * vals.length)] as any } }); if (!o.ok || o.toast?.content === '' ) console.log('PRESS', JSON.stringify(value).slice(0, 200), JSON.stringify(o)); if (o.ok && !o.toast) console.log('NOTOAST', JSON.stringify(value).slice(0, 300)); } this.rig.cloud.say({ chat: c, from: u, text: '１' }); }, 6000),
        ];
        const slow = [
          () => one('99991400 patch too', 'grow', () => { this.rig.cloud.faults.inject({ kind: 'rate_limited', times: 100000, path: '/cardkit/' }); this.rig.cloud.faults.inject({ kind: 'rate_limited', times: 100000, method: 'PATCH' }); }, 20000),
        ];
        for (const f of slow) { const before = this.rig.cloud.calls({}).length; const chat = await f(); console.log('   calls', this.rig.cloud.calls({}).length - before, 'mb', this.mb()); this.rig.cloud.faults.calm(); for (const x of scopes) this.rig.app.scopes.add(x); await sleep(40000); this.look('  after calm', chat, 200); for (const x of this.rig.replies(chat)) if (/"streaming_mode":true/.test(JSON.stringify(x.card?.json ?? {}))) console.log('   STILL STREAMING'); }
      },
      edits: async () => {
        this.rig.app.subscriptions.add('im.message.updated_v1'); this.rig.app.scopes.add('im:message.group_msg');
        await this.start({ LARK_BRIDGE_LANG: 'zh' });
        const rr = seeded(this.seed); const chats: [string, any][] = [];
        const bodies = ['', '{', 'null', '[]', '{"text":5}', '{"text":"\\ud800"}', '{"text":"\\u200b"}', '{"text":"/stop"}', '{"text":"/help"}', '{"text":"@_all hi"}', `{"text":"${'x'.repeat(150000)}"}`, '{"content":[[]]}', '{"title":5,"content":[[{"tag":"at","user_id":"@_user_1"}]]}', '{"content":[[{"tag":"img","image_key":"../x"}],[{"tag":"code_block","text":"```"}]]}'];
        const u = this.rig.cloud.addUser({ name: 'E' }); const tom = this.rig.cloud.addUser({ name: '' });
        for (let i = 0; i < 60; i++) {
          const group = rr() < 0.5; const user = this.rig.cloud.addUser({ name: `E${i}` });
          const chat = group ? this.rig.cloud.addGroup({ name: 'g', members: [user, tom, u], apps: [this.rig.app] }) : this.rig.cloud.directChat(user, this.rig.app);
          const m = this.rig.cloud.say({ chat, from: user, text: `${rr() < 0.5 ? 'slow' : 'x'} ${i}`, mentions: rr() < 0.5 && group ? [this.rig.app] : [] });
          for (let k = 0; k < 3; k++) { if (rr() < 0.3) await sleep(50); const msgType = rr() < 0.5 ? 'text' : 'post'; const content = bodies[Math.floor(rr() * bodies.length)]!; this.rig.cloud.world.edit(m, { msgType, content, mentions: group && rr() < 0.5 ? [{ key: '@_user_1', openId: this.rig.app.botOpenId, name: 'Bot' } as any] : [] }); publishEdit(this.rig.cloud.cloud, m); }
          if (rr() < 0.3) { const q = this.raw(chat, user, rr() < 0.5 ? 'text' : 'post', bodies[Math.floor(rr() * bodies.length)]!); this.rig.cloud.say({ chat, from: user, text: rr() < 0.5 ? '' : 'q', mentions: group ? [this.rig.app] : [], replyTo: q, inThread: rr() < 0.5 }); this.rig.cloud.say({ chat, from: user, text: 'in thread', mentions: group ? [this.rig.app] : [], replyTo: q, inThread: true }); }
          if (rr() < 0.15) this.rig.cloud.recall(m.messageId);
          chats.push([`${i} ${m.recalled ? 'RECALLED ' : ''}${(m as any).ment ?? ''}${group ? 'group' : 'direct'} ${m.msgType} ${m.content.slice(0, 60)}`, chat]);
        }
        await sleep(25000);
        for (const [name, chat] of chats) console.log('  ', name, this.rep(chat).map((x: any) => `${x.type}:${JSON.stringify(x.text).slice(0, 90)}`).join(' | '));
        console.log('mb', this.mb());
      },
      types: async () => {
        await this.start({ LARK_BRIDGE_AGENT: 'echo' });
        const r = seeded(this.seed);
        const values: unknown[] = [null, '', ' ', 0, -1, 1e300, true, [], {}, [[]], [{}], { a: 1 }, 'x', '\u200b', '\u202e', '\ud800', 'a\0b', '@_user_1', 'x'.repeat(5000), { content: [] }, [[{ tag: 'text', text: 5 }]], [[{ tag: 'at' }]], [[{ tag: 'img' }]], [null], ['a'], { text: 'x' }];
        const types = [...SAMPLE_TYPES, 'text', 'post', 'interactive', 'unknown_type', '', '__proto__', 'constructor'];
        const fields = ['text', 'title', 'content', 'image_key', 'file_key', 'file_name', 'duration', 'name', 'latitude', 'longitude', 'summary', 'due_time', 'start_time', 'end_time', 'topic', 'options', 'elements', 'chat_id', 'user_id', 'template', 'zh_cn', 'task_id', 'from_user'];
        const chats: [string, any][] = [];
        for (const type of types) {
          const contents = ['', '{', 'null', '[]', '"x"', '5', '{}', '{"text":"\\ud800"}', '{"__proto__":{"text":"x"}}', '['.repeat(2000)];
          for (let i = 0; i < 6; i += 1) {
            const o: Record<string, unknown> = {};
            for (const f of fields) if (r() < 0.4) o[f] = values[Math.floor(r() * values.length)];
            contents.push(JSON.stringify(o));
          }
          for (const c of contents) {
            const { user, chat } = this.rig.direct(`U${this.n++}`);
            this.raw(chat, user, type, c);
            chats.push([`${type} ${c.slice(0, 120)}`, chat]);
            if (chats.length % 7 === 0 && !type.startsWith('system')) await this.settle(chats.slice(-7).map(([, x]) => x), 8000);
          }
        }
        console.log(chats.length, 'chats');
        await this.settle(chats.filter(([n]) => !n.startsWith('system')).map(([, c]) => c), 120000);
        const seen = new Map<string, number>();
        for (const [name, chat] of chats) {
          const replies = this.rep(chat);
          if (replies.length === 0 && !name.startsWith('system')) console.log('SILENT', name);
          for (const x of replies) {
            if (x.text.replace(INVISIBLE, '') === '') console.log('BLANK', name);
            const k = x.text.replace(/\d+/g, 'N').slice(0, 100); seen.set(k, (seen.get(k) ?? 0) + 1);
          }
          if (replies.length > 1) console.log('MANY', name, replies.map((x: any) => x.text.slice(0, 80)));
        }
        for (const [k, v] of [...seen].sort((a, b) => b[1] - a[1]).slice(0, 60)) console.log('   ', v, JSON.stringify(k));
        console.log('mb', this.mb());
      },
      answers: async () => {
        await this.start({ LARK_BRIDGE_LANG: 'zh' });
        const a: Record<string, string | Buffer> = {
          zw: '\u200b\u2060\ufeff', ctl: '\x1b[31m\x1b[0m\x07\x00', space: '   \n\n  ', nothing: '', braille: '\u2800\u2800', hangul: '\u3164\u3164', tag: '\u{E0041}\u{E0042}', vs: '\ufe0f\ufe0f', rtl: '\u202e\u202d', comment: '<!-- nothing -->', defn: '[a]: http://x.y', hr: '---', fence: '```\n```', emptylink: '[](http://x.y)', emptyimg: '![](x.png)', emptyhead: '# ', emptytable: '| | |\n|-|-|\n| | |', emptylist: '- \n- \n- ', emptyquote: '> \n> ', emptybold: '**\u200b** ', nbsp: '&nbsp;', ent: '&#8203;&#x200b;', htmlonly: '<br>', invalid: Buffer.from([0xff, 0xfe, 0x41, 0xc3, 0x28]), half: Buffer.from([0xed, 0xa0, 0x80]), 
          nest: '> '.repeat(1000) + 'x', nestlist: Array.from({ length: 1000 }, (_, i) => ' '.repeat(i * 2) + '- x').join('\n'), table: '| a | b |\n|---|---|\n' + '| 1 | 2 |\n'.repeat(5000), links: '[x](http://a.b) '.repeat(60000), fence1m: '```\n' + 'x\n'.repeat(500000), brackets: '['.repeat(1000000), stars: '*a '.repeat(100000), ats: '<at user_id="all">'.repeat(5000), big: 'word '.repeat(30000), bigline: 'x'.repeat(900000), wide: '|' + ' a |'.repeat(300) + '\n|' + '-|'.repeat(300) + '\n|' + ' b |'.repeat(300), foot: '[^1] '.repeat(2000) + '\n\n' + '[^1]: x\n'.repeat(2000), mixed: '# t\n\n'.repeat(3000), img: '![x](http://a.b/c.png)\n'.repeat(3000), cr: 'a\rb\r\rc\r\n', sep: 'a\u2028b\u2029c\u0085d', combining: 'Z' + '\u0301'.repeat(40000), emoji: '👨‍👩‍👧'.repeat(10000), backslash: '\\'.repeat(50000), backtick: '`'.repeat(50000), dollar: '$$'.repeat(20000), zwlink: '[\u200b](http://x.y)', onlyat: '<at user_id="all"></at>', onlyat2: '<at id=all></at>', fontag: '<font color="red"></font>', button: '{"schema":"2.0","body":{"elements":[]}}', cardish: '{"header":{},"elements":[{"tag":"action"}]}', onlycode: '` `', spacecode: '```\n   \n```', zwcode: '```\n\u200b\n```', zwhead: '# \u200b', zwtable: '|\u200b|\n|-|\n|\u200b|', zwlist: '- \u200b', task: '- [ ] ', num: '1. ', strike: '~~ ~~', zwquote: '> \u200b', shy: '\u00ad\u00ad', cgj: '\u034f', mvs: '\u180e', il: '\u206a\u206b',
        };
        const chats: [string, any][] = [];
        for (const [name, text] of Object.entries(a)) {
          writeFileSync(join(this.rig.home, 'answers', name), text);
          const { user, chat } = this.rig.direct(`U${this.n++}`);
          this.rig.cloud.say({ chat, from: user, text: `file:${name}` });
          chats.push([name, chat]);
        }
        await this.settle(chats.map(([, c]) => c), 120000);
        await sleep(10000);
        for (const [name, chat] of chats) this.look(name, chat, 110);
        console.log('mb', this.mb());
      },
      texts: async () => {
        await this.start();
        const people = Array.from({ length: 40 }, (_, i) => this.rig.cloud.addUser({ name: ['<at id=all></at>', '{0}{1}', 'a\nb\r\nc', '\u202Eevil', '\u200b', '', '@_user_2', '@_all', '**bold**', '[x](javascript:1)', '\ud800'][i % 11] + (i > 10 ? i : '') }));
        const chats: [string, any][] = [];
        const group = this.rig.cloud.addGroup({ name: '\u202E<at id=all></at>\n{0}', members: people, apps: [this.rig.app] });
        this.rig.cloud.say({ chat: group, from: people[0] as any, text: people.map((_, i) => `{${i}}`).join(' ') + ` {40}`, mentions: [...people, this.rig.app] });
        chats.push(['40 mentions', group]);
        const direct = (name: string, text: string, from?: any) => { const user = from ?? this.rig.cloud.addUser({ name: `U${this.n++}` }); const chat = this.rig.cloud.directChat(user, this.rig.app); this.raw(chat, user, 'text', JSON.stringify({ text })); chats.push([name, chat]); };
        direct('150KB', 'x'.repeat(150000)); direct('150KB zh', '漢'.repeat(50000)); direct('150KB nl', '\n'.repeat(150000)); direct('150KB zw', '\u200b'.repeat(50000)); direct('half', 'a\ud800'); direct('onlyhalf', '\ud800'); direct('nul', '\0'); direct('esc', '\x1b[2J'); direct('rtl', '\u202e'); direct('braille', '\u2800'); direct('hangul', '\u3164'); direct('shy', '\u00ad');
        for (const t of ['/', '//', '/ help', '/\u200bhelp', '／ｈｅｌｐ', '/help\n/stop', '/HELP', '/hlep', '/stop now', '/run all', '/retry 5', '/lang', '/lang xx', '/lang <at id=all></at>', '/lang zh', '/allow', '/allow <at id=all></at>', `/allow ${'x'.repeat(140000)}`, '/whoami', '/status', '/queue', '/new', '/skip', '/doctor', '/reconnect', '/block', '/revoke', `/${'h'.repeat(100000)}`, '/__proto__', '/constructor', '/help\u202e', '\ufeff/help', '/帮助', '/help ' + '\ud800']) direct(`cmd ${t.slice(0, 30)}`, t);
        people.slice(0, 11).forEach((p, i) => { for (const t of ['/whoami', '/status', '/help', 'hello']) direct(`name${i} ${t}`, t, p); });
        await this.settle(chats.map(([, c]) => c), 60000);
        await sleep(2000);
        for (const [name, chat] of chats) this.look(name, chat, 160);
        for (const [name, chat] of chats) for (const m of chat.messages) if (m.sender.kind === 'app' && /<at (user_id|id)=\\?"?all/.test(m.content)) console.log('ATALL', name, m.content.slice(0, 300));
        console.log('mb', this.mb());
      },
      files: async () => {
        await this.start();
        const { user, chat } = this.rig.direct('F');
        const owner = { kind: 'user', openId: user.openId } as const;
        const zip = Buffer.from('504b0304', 'hex');
        const up = (kind: 'image' | 'file', bytes: Buffer, fileName?: string, fileType?: string) => this.rig.cloud.addUpload({ kind, owner, bytes, ...(fileName && { fileName }), ...(fileType && { fileType }) }).key;
        const all: [string, string, Record<string, unknown>][] = [
          ['empty image', 'image', { image_key: up('image', Buffer.alloc(0)) }],
          ['empty file', 'file', { file_key: up('file', Buffer.alloc(0), 'e.txt'), file_name: 'e.txt' }],
          ['svg', 'image', { image_key: up('image', Buffer.from('<svg xmlns="x"><script>1</script></svg>')) }],
          ['zip', 'file', { file_key: up('file', zip, 'b.zip'), file_name: 'b.zip' }],
          ['path', 'file', { file_key: up('file', Buffer.from('x')), file_name: '../../../etc/passwd' }],
          ['nul', 'file', { file_key: up('file', Buffer.from('x')), file_name: 'a\0b\n\u202etxt.exe' }],
          ['long', 'file', { file_key: up('file', Buffer.from('x')), file_name: '漢'.repeat(5000) + '.txt' }],
          ['dots', 'file', { file_key: up('file', Buffer.from('x')), file_name: '..' }],
          ['noname', 'file', { file_key: up('file', Buffer.from('x')) }],
          ['badkey', 'file', { file_key: '../x', file_name: 'y' }],
          ['nokey', 'image', { image_key: 'img_none' }],
          ['200MB', 'file', { file_key: up('file', Buffer.alloc(200 * 1024 * 1024), 'big.bin'), file_name: 'big.bin' }],
          ['90MB', 'file', { file_key: up('file', Buffer.alloc(90 * 1024 * 1024, 1), 'mid.bin'), file_name: 'mid.bin' }],
          ['audio not', 'audio', { file_key: up('file', Buffer.from('#!/bin/sh'), 'v', 'opus'), duration: -5 }],
        ];
        const before = this.mb();
        const chats: [string, any][] = [];
        for (const [name, type, content] of all) {
          const c = this.rig.cloud.directChat(this.rig.cloud.addUser({ name: `U${this.n++}` }), this.rig.app);
          const u = this.rig.cloud.findUser([...(c as any).members][0] ?? user);
          this.raw(c, u, type, JSON.stringify(content)); chats.push([name, c]);
        }
        let most = 0; const timer = setInterval(() => { most = Math.max(most, this.mb()); }, 50);
        await this.settle(chats.map(([, c]) => c), 60000);
        await sleep(2000); clearInterval(timer);
        for (const [name, c] of chats) this.look(name, c, 300);
        console.log('mb before', before, 'most', most);
        void chat;
      },
      outs: async () => {
        await this.start({ LARK_BRIDGE_LANG: 'zh' });
        const out = join(this.rig.home, 'out'); 
        const mk = (name: string, files: Record<string, Buffer | string>) => { mkdirSync(join(out, name), { recursive: true }); for (const [f, b] of Object.entries(files)) writeFileSync(join(out, name, f), b); };
        mk('empty', { 'e.txt': '', 'e.png': '' }); mk('wrong', { 'a.png': 'not a picture', 'b.jpg': '<svg></svg>' }); mk('big', { 'big.bin': Buffer.alloc(40 * 1024 * 1024) }); mk('bigpng', { 'p.png': Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(12 * 1024 * 1024)]) });
        mk('names', { 'a\u202egnp.exe': 'x', '\n<at id=all>': 'y', '-rf': 'z', '{0}': 'q', ['漢'.repeat(80)]: 'w' } as any); mk('many', Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`f${i}.txt`, 'x'])));
        const chats: [string, any][] = [];
        for (const name of ['empty', 'wrong', 'big', 'bigpng', 'names', 'many']) { const { user, chat } = this.rig.direct(`U${this.n++}`); this.rig.cloud.say({ chat, from: user, text: `out:${name}` }); chats.push([name, chat]); }
        await this.settle(chats.map(([, c]) => c), 60000); await sleep(4000);
        for (const [name, c] of chats) this.look(name, c, 400);
        console.log('mb', this.mb());
      },
      pairing: async () => {
        const owner = this.rig.direct('Owner');
        const db = await import('../../src/host/owner-file.ts'); const ids = await import('../../src/core/ids.ts');
        db.ownerFile(this.rig.stateDir, ids.appId(this.rig.app.appId)).save(ids.openId(owner.user.openId));
        for (const lang of ['en', 'zh']) {
        await this.start({ LARK_BRIDGE_ACCESS: 'pairing', LARK_BRIDGE_LANG: lang });
        const names = ['<at id=all></at>', '{0}{1}', 'a\nb', '\u202Eevil', '\u200b', '', '**b** [x](http://e.v)', 'x'.repeat(3000), '\ud800', '`code`', '<font color=red>x</font>', '| a | b |', '&nbsp;'];
        const chats: [string, any][] = [];
        for (const name of names) { const user = this.rig.cloud.addUser({ name }); const chat = this.rig.cloud.directChat(user, this.rig.app); this.rig.cloud.say({ chat, from: user, text: 'hi' }); chats.push([name.slice(0, 30), chat]); }
        const g = this.rig.cloud.addGroup({ name: '<at id=all></at>\n**g**', members: [owner.user, this.rig.cloud.addUser({ name: 'zz' })], apps: [] });
        this.rig.cloud.addBot(g, this.rig.app, owner.user); chats.push(['group', g]);
        await this.settle(chats.map(([, c]) => c), 30000); await sleep(3000);
        for (const [name, c] of chats) this.look(name, c, 260);
        for (const x of this.rig.replies(owner.chat)) console.log('   owner', x.type, JSON.stringify(x.text).slice(0, 260));
        for (const m of owner.chat.messages) if (m.sender.kind === 'app' && /<at /.test(m.content)) console.log('AT', m.content.slice(0, 800));
        this.rig.cloud.say({ chat: owner.chat, from: owner.user, text: '/status' }); this.rig.cloud.say({ chat: owner.chat, from: owner.user, text: '/queue' }); this.rig.cloud.say({ chat: owner.chat, from: owner.user, text: '/doctor' });
        await sleep(4000);
        for (const x of this.rig.replies(owner.chat).slice(-3)) console.log('   owner', x.type, JSON.stringify(x.text).slice(0, 1500));
        }
      },
    };
  }
}
void readFileSync; void publishEdit;
