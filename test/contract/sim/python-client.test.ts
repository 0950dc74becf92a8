import { request, type IncomingMessage } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LarkCloud } from '../../../src/sim/control/lark-cloud.ts';
import { startLarkCloud } from '../../../src/sim/server.ts';
import type { SimApp } from '../../../src/sim/world/model.ts';

/** The official Python SDK: how it writes requests and how it reads answers, in raw HTTP. */

let lark: LarkCloud;
let app: SimApp;
let token: string;

beforeEach(async () => {
  lark = await startLarkCloud();
  app = lark.addApp();
  ({ token } = lark.cloud.tokens.issue(app));
});

afterEach(() => lark.stop());

interface Answered {
  /** As received, with upper and lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

function call(method: string, path: string, multipart?: Buffer): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const outgoing = request(`${lark.openBaseUrl}/open-apis/im/v1${path}`, { method });
    outgoing.setHeader('Authorization', `Bearer ${token}`);
    if (multipart) outgoing.setHeader('Content-Type', 'multipart/form-data; boundary=cut');
    outgoing.on('error', reject);
    outgoing.on('response', (answer: IncomingMessage) => {
      const { rawHeaders } = answer;
      const names = rawHeaders.filter((_name, at) => at % 2 === 0);
      const headers = new Map(names.map((name, at) => [name, rawHeaders[2 * at + 1] ?? '']));
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => resolve({ headers, body: Buffer.concat(chunks) }));
    });
    outgoing.end(multipart);
  });
}

/** Every part has only its name: no file name, no type. */
function form(parts: Readonly<Record<string, string | Buffer>>): Buffer {
  const written = Object.entries(parts).flatMap(([name, value]) => [
    Buffer.from(`--cut\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n`),
    Buffer.from(value),
    Buffer.from('\r\n'),
  ]);
  return Buffer.concat([...written, Buffer.from('--cut--\r\n')]);
}

function dataOf({ body }: Answered): Readonly<Record<string, string>> {
  return (JSON.parse(body.toString()) as { data: Record<string, string> }).data;
}

const PNG = Buffer.from('89504e470d0a1a0a0000000d4948445200000001000000010806000000', 'hex');

describe('uploads whose parts have neither file name nor type', () => {
  test('keep every byte', async () => {
    const bytes = Buffer.from('000102fffe8081', 'hex');
    const fields = { file_type: 'stream', file_name: 'raw.bin', file: bytes };
    const { file_key: key = '' } = dataOf(await call('POST', '/files', form(fields)));
    expect((await call('GET', `/files/${key}`)).body).toEqual(bytes);
    expect(lark.world.uploads.get(key)?.fileName).toBe('raw.bin');
  });

  test('are recognised as images', async () => {
    const fields = { image_type: 'message', image: PNG };
    const { image_key: key = '' } = dataOf(await call('POST', '/images', form(fields)));
    expect((await call('GET', `/images/${key}`)).body).toEqual(PNG);
  });
});

describe('headers', () => {
  /** `lark_oapi` looks names up as they are written here. */
  test('have upper and lower case as on the platform', async () => {
    const { headers } = await call('GET', '/chats');
    expect(headers.get('X-Tt-Logid')).toMatch(/^\d{14}[0-9A-F]{18}$/);
    expect(headers.get('Content-Type')).toBe('application/json; charset=utf-8');
  });

  /** It takes the parameter `filename`, as bytes of UTF-8. */
  test.each(['报告 1.pdf', 'résumé.pdf', 'a"b\\c.pdf'])(
    'have the name of a download: %s',
    async (name) => {
      const fields = { file_type: 'pdf', file_name: name, file: 'x' };
      const { file_key: key = '' } = dataOf(await call('POST', '/files', form(fields)));
      const { headers } = await call('GET', `/files/${key}`);
      const line = headers.get('Content-Disposition') ?? '';
      const [, quoted = ''] =
        /^attachment; filename="((?:[^"\\]|\\.)*)"; filename\*=/.exec(line) ?? [];
      const bytes = quoted.replaceAll(/\\(.)/g, '$1');
      expect(Buffer.from(bytes, 'latin1').toString()).toBe(name);
      expect(line).toContain(`filename*=UTF-8''${encodeURIComponent(name)}`);
      expect(headers.get('Content-Type')).toBe('application/pdf');
    },
  );
});
