import { expect, it } from 'vitest';
import { type Secret, signatures } from '../../src/notices/secrets.ts';
import { decodeBase64 } from '../../src/os/base64.ts';

it('signs as the example of Standard Webhooks', async () => {
  const secret = decodeBase64('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw') as Secret;
  const message = {
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    seconds: 1_614_265_330n,
    body: '{"test": 2432232314}',
  };
  expect(await signatures([secret], message)).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
});
