import { expect, it } from '@jest/globals';
import { redactQuery } from '../../../lib/http/redact-query.js';

const isSecret = (name: string) => name === 'token' || name === 'user[password]' || name === 'my key';

it.each([
  ['a=b', 'a=b'],
  ['token=t', 'token=REDACTED'],
  ['token=', 'token=REDACTED'],
  ['token', 'token'],
  ['a=b&token=t&c=d', 'a=b&token=REDACTED&c=d'],
  ['token=t&token=u', 'token=REDACTED&token=REDACTED'],
  ['token=a=b=c', 'token=REDACTED'],
  ['%74oken=t', '%74oken=REDACTED'],
  ['user%5Bpassword%5D=p', 'user%5Bpassword%5D=REDACTED'],
  ['user[password]=p', 'user[password]=REDACTED'],
  ['my+key=k', 'my+key=REDACTED'],
  ['my%20key=k', 'my%20key=REDACTED'],
  ['%zz=1&token=t', '%zz=1&token=REDACTED'],
  ['a=token', 'a=token'],
  ['&&=&', '&&=&'],
  ['', ''],
])('%s becomes %s', (query, redacted) => {
  expect(redactQuery(query, isSecret)).toBe(redacted);
});
