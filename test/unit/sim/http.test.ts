import { describe, expect, test } from 'vitest';
import { parseBody } from '../../../src/sim/api/http-body.ts';
import { ok, type Route } from '../../../src/sim/api/http.ts';
import { Router } from '../../../src/sim/api/router.ts';

describe('parseBody', () => {
  const multipart = (...parts: string[]) =>
    Buffer.from(`${parts.map((part) => `--b\r\n${part}\r\n`).join('')}--b--\r\n`, 'latin1');

  test('multipart: fields, files with and without a name, and bytes that look like line breaks', () => {
    const raw = multipart(
      'Content-Disposition: form-data; name="file_name"\r\n\r\na.bin',
      'Content-Disposition: form-data; name="file"\r\nContent-Type: application/octet-stream\r\n\r\n\r\n--\xff\r\n',
      'content-disposition: form-data; name=image; filename="x y.png"\r\ncontent-type: image/png\r\n\r\n',
    );
    const body = parseBody('multipart/form-data; boundary=b', raw);
    expect(body?.fields).toEqual({ file_name: 'a.bin' });
    expect(body?.parts).toEqual([
      { field: 'file_name', bytes: Buffer.from('a.bin') },
      { field: 'file', bytes: Buffer.from('\r\n--\xff\r\n', 'latin1') },
      { field: 'image', bytes: Buffer.alloc(0) },
    ]);
  });

  test('multipart without boundary, or with a part without a name, is malformed', () => {
    expect(parseBody('multipart/form-data', Buffer.from('x'))).toBeUndefined();
    const raw = multipart('Content-Type: text/plain\r\n\r\nx');
    expect(parseBody('multipart/form-data; boundary="b"', raw)).toBeUndefined();
  });

  test('forms and JSON', () => {
    const form = parseBody('application/x-www-form-urlencoded', Buffer.from('a=1&b=%20'));
    expect(form?.fields).toEqual({ a: '1', b: ' ' });
    expect(parseBody('application/json', Buffer.from('{"a":[1]}'))?.fields).toEqual({ a: [1] });
    expect(parseBody('application/json', Buffer.alloc(0))?.fields).toEqual({});
    expect(parseBody('application/json', Buffer.from('nonsense'))).toBeUndefined();
    expect(parseBody('', Buffer.from('[]'))).toBeUndefined();
  });
});

describe('Router', () => {
  const route = (method: Route['method'], path: string): Route => ({
    method,
    path,
    auth: 'none',
    handle: () => ok({}),
  });

  test('finds routes by segments; a fixed segment is never the value of a parameter', () => {
    const router = new Router([
      route('GET', '/a/:id'),
      route('GET', '/a/fixed'),
      route('POST', '/a/:id/b/:other'),
      route('GET', '/a/fixed/c'),
    ]);
    expect(router.match('GET', '/a/7')).toMatchObject({ params: { id: '7' } });
    expect(router.match('GET', '/a/fixed')).toMatchObject({ route: { path: '/a/fixed' } });
    expect(router.match('POST', '/a/7/b/x')?.params).toEqual({ id: '7', other: 'x' });
    // The name of another route is not an id.
    expect(router.match('POST', '/a/fixed/b/x')).toBeUndefined();
    expect(router.match('PUT', '/a/7')).toBeUndefined();
    expect(router.match('GET', '/a/')).toBeUndefined();
    expect(router.match('GET', '/a/7/../b')).toBeUndefined();
  });

  test('refuses two routes for the same calls', () => {
    expect(() => new Router([route('GET', '/a/:id'), route('GET', '/a/:other')])).toThrow(
      'is the same as',
    );
  });
});
