import { expect, test } from 'vitest';
import { mustBeProtected } from '../../../src/app/hub-protection.ts';

const open = { hubHost: '0.0.0.0', tlsCert: undefined, allowPlainHttp: undefined };

test.each(['0.0.0.0', '::', '192.168.1.7', 'bridge.example'])(
  'F31: a hub at %s without TLS is refused with a way out',
  (hubHost) => {
    expect(() => mustBeProtected({ ...open, hubHost })).toThrow(
      expect.objectContaining({
        code: 'config_invalid',
        next: expect.stringContaining('LARK_ALLOW_PLAIN_HTTP') as string,
      }),
    );
  },
);

test('F31: with TLS, by the will of who runs it, or on this machine alone, it starts', () => {
  mustBeProtected({ ...open, tlsCert: 'cert.pem' });
  mustBeProtected({ ...open, allowPlainHttp: true });
  for (const hubHost of ['127.0.0.1', '::1', 'localhost']) mustBeProtected({ ...open, hubHost });
});
