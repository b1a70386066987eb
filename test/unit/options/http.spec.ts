import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { resolveHttp, type HttpOptions } from '../../../lib/options/http.js';
import { DEFAULT_KNOWN_METHODS } from '../../../lib/options/known-methods.js';

const http = (options: unknown) => resolveHttp(options as HttpOptions, DEFAULT_KNOWN_METHODS);
const ignored = (ignore: unknown, url: string | undefined) => http({ ignore }).ignore?.({ url } as IncomingMessage);

describe('http.ignore', () => {
  it.each<[ignore: unknown, url: string | undefined, expected: boolean]>([
    ['/health', '/health', true],
    ['/health', '/health/', true],
    ['/health/', '/health', true],
    ['/health', '/health?verbose=1', true],
    ['/health', '/health#top', true],
    ['/health', 'http://localhost:3000/health?x', true],
    ['/', 'http://localhost:3000', true],
    ['/', '/', true],
    ['/', '/x', false],
    ['/health', '/healthz', false],
    ['/health', '/api/health', false],
    ['/health', '/x?next=/health', false],
    ['/health', undefined, false],
    ['/internal/*', '/internal/a/b?c', true],
    ['/internal/*', '/internal', false],
    ['*/health', '/api/v1/health/', true],
    ['*.ico', '/favicon.ico', true],
    ['/a*b*c', '/a-b-c', true],
    ['/a*b*c', '/a-c-b', false],
    ['/ab*ba', '/aba', false],
    ['/a.c', '/abc', false],
    [['/health', /^\/metrics/], '/metrics/x', true],
    [['/health', /^\/metrics/], '/orders', false],
    [/secret/, '/orders?secret=1', false],
    [[], '/orders', false],
  ])('%s and %s: %s', (ignore, url, expected) => {
    expect(ignored(ignore, url) ?? false).toBe(expected);
  });

  it.each(['g', 'y', 'gy'])('does not depend on the last request with the flag %s', (flags) => {
    const pattern = new RegExp('^/health', flags);
    const { ignore } = http({ ignore: pattern });
    const answers = [1, 2, 3].map(() => ignore?.({ url: '/health' } as IncomingMessage));
    expect(answers).toEqual([true, true, true]);
    expect(pattern.lastIndex).toBe(0);
  });

  it('is not slowed down by a long path that nearly matches', () => {
    const started = performance.now();
    expect(ignored(`/${'*a'.repeat(20)}*b`, `/${'a'.repeat(16_000)}`)).toBe(false);
    expect(performance.now() - started).toBeLessThan(100);
  });

  it('returns a function unchanged', () => {
    const ignore = () => true;
    expect(http({ ignore }).ignore).toBe(ignore);
  });

  it.each([['health'], ['/health?x=1'], [['/ok', 7]], [null], ['']])('refuses %j', (ignore) => {
    expect(() => http({ ignore })).toThrow(expect.objectContaining({ option: expect.stringContaining('http.ignore') }));
  });
});

describe('http.redactQuery', () => {
  it.each([
    ...[
      'password',
      'passwd',
      'pwd',
      'pass',
      'PASSWORD',
      'password2',
      'new_password',
      'passwordConfirm',
      'userpassword',
    ],
    ...[
      'secret',
      'client_secret',
      'clientSecret',
      'clientsecret',
      'token',
      'access_token',
      'accessToken',
      'refreshtoken',
    ],
    ...['id_token', 'id_token_hint', 'csrf-token', 'tokens[]', 'user[password]', 'filter[0][accessToken]'],
    ...['api_key', 'apikey', 'api-key', 'apiKey', 'X-API-Key', 'access_key', 'private_key', 'AWSAccessKeyId'],
    ...['X-Amz-Signature', 'X-Amz-Credential', 'X-Amz-Security-Token', 'X-Goog-Signature', 'X-Goog-Credential', 'sig'],
    ...['signature', 'auth', 'authorization', 'credential', 'credentials', 'jwt', 'assertion', 'client_assertion'],
    ...['session', 'sessionid', 'session_id', 'sessionId', 'PHPSESSID', 'sid', 'connect.sid', 'otp', 'code_verifier'],
    ...['verification_code', 'SAMLResponse', 'SAMLRequest', 'subscription-key', 'key', 'KEY', 'key[]', 'x-key', 'key2'],
    ...['wskey', 'hapikey', 'auth_key', 'authkey', 'license_key', 'licenseKey', 'LICENSE-KEY', 'my.key', 'storage_key'],
    ...['code', 'Code', 'auth_code', 'authcode', 'user_code', 'device_code', 'smsCode', 'invite_code', 'gift_code'],
    ...[
      'ticket',
      'login_ticket',
      'pin',
      'PIN',
      'card_pin',
      'cardpin',
      'new-pin',
      'pin_confirm',
      'pw',
      'user_pw',
      'userpw',
    ],
    ...['passphrase', 'passcode', 'hmac', 'x-hmac', 'hmac_sha256', 'cvv', 'cvv2', 'cvc', 'card_cvv', 'card_number'],
    ...['magic', 'magic_link', 'Policy', 'policy', 'X-Amz-Date', 'X-Amz-Expires', 'nonce', 'oauth_nonce', 'totp'],
    ...[
      'oauth_verifier',
      'mnemonic',
      'jsessionid',
      'JSESSIONID',
      'userSession.id',
      'xsrf',
      '_csrf',
      'token_value',
      'token_id',
    ],
    ...['token_for_reset', 'tokenV2', 'apiKeyV2', 'api_key_base64', 'api_keys', 'backup_codes', 'vnp_SecureHash'],
    ...[
      'user[token]',
      'token[]',
      'token[0]',
      'tokens[0]',
      'a.b.secret',
      'passWord',
      'pass_phrase',
      'ccNumber',
      'credit_card',
      'product_key',
      'x-api-key-value',
      '__Host-token',
    ],
  ])('redacts %s', (name) => {
    expect(http({}).redactQuery(name)).toBe(true);
  });

  it.each([
    ...['tokenize', 'token_type', 'tokens_used', 'passenger', 'passage', 'compass', 'author', 'authors', 'authority'],
    ...['design', 'signal', 'assign', 'zip_code', 'monkey', 'keyword', 'keywords', 'sort_key', 'sidebar', 'side'],
    ...[
      'sessions',
      'obsession',
      'secretary',
      'id',
      'page',
      'q',
      'email',
      'state',
      'asserts',
      '',
      'sort',
      'lang',
      'currency',
    ],
    ...[
      'sortKey',
      'SortKey',
      'sortkey',
      'primary_key',
      'partition-key',
      'idempotencyKey',
      'public_key',
      'cache_key',
      'keys',
    ],
    ...['turkey', 'hockey', 'keyboard', 'hotkey', 'startkey', 'last_evaluated_key', 'key_id', 'filter[sort_key]'],
    ...[
      'country_code',
      'countryCode',
      'countrycode',
      'postal_code',
      'postalcode',
      'postcode',
      'zipcode',
      'status_code',
    ],
    ...[
      'error_code',
      'currency_code',
      'language_code',
      'product_code',
      'area-code',
      'barcode',
      'unicode',
      'codec',
      'codes',
    ],
    ...[
      'encode',
      'code_challenge_method',
      'pinned',
      'pinterest',
      'shipping',
      'spin',
      'tickets',
      'ticket_id',
      'passengers',
    ],
    ...[
      'bypass',
      'surpass',
      'max_tokens',
      'token_type_hint',
      'token_count',
      'authorId',
      'auth_type',
      'client_id',
      'scope',
    ],
    ...[
      'grant_type',
      'redirect_uri',
      'response_type',
      'policy_id',
      'hash',
      'sizes',
      'sign',
      'signin',
      'presign',
      'possession',
    ],
    ...['passable', 'cards', 'scorecard', 'discard', 'nonces', 'sess', 'basis', 'magical', 'pinball'],
  ])('shows %s', (name) => {
    expect(http({}).redactQuery(name)).toBe(false);
  });

  it('adds names regardless of case, and regular expressions', () => {
    const { redactQuery } = http({ redactQuery: ['Email', /^card/g] });
    const names = ['email', 'EMAIL', 'emails', 'cardNumber', 'cardNumber', 'discard', 'password'];
    expect(names.map(redactQuery)).toEqual([true, true, false, true, true, false, true]);
  });

  it('may be a function, which leaves the decision to the library by undefined', () => {
    const { redactQuery } = http({
      redactQuery: (name: string) =>
        new Map([
          ['key', false],
          ['email', true],
        ]).get(name),
    });
    expect(['key', 'email', 'token', 'page'].map(redactQuery)).toEqual([false, true, true, false]);
  });

  it('decides about a long name in a short time', () => {
    const names = Array.from({ length: 3000 }, (_, index) => `k${index}=`);
    const { redactQuery } = http({});
    const before = process.cpuUsage();
    for (const name of [...names, 'aB'.repeat(8000), 'a_'.repeat(8000), `token${'A'.repeat(16_000)}`])
      redactQuery(name);
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(100);
  });

  it.each([['email'], [[1]], [['']], [[null]]])('refuses %j', (redactQuery) => {
    expect(() => http({ redactQuery })).toThrow(/http\.redactQuery/);
  });
});

describe('http headers and hooks', () => {
  it('writes header names in lower case, each once', () => {
    const { requestHeaders, responseHeaders } = http({
      requestHeaders: ['X-Id', 'x-id', ' accept '],
      responseHeaders: [],
    });
    expect(requestHeaders).toEqual([
      { name: 'x-id', isSecret: false },
      { name: 'accept', isSecret: false },
    ]);
    expect(responseHeaders).toEqual([]);
  });

  it.each([
    ['authorization', true],
    ['proxy-authorization', true],
    ['cookie', true],
    ['set-cookie', true],
    ['x-api-key', true],
    ['x-auth-token', true],
    ['x-amz-security-token', true],
    ['x-session-id', true],
    ['x-request-id', false],
    ['content-type', false],
    ['accept', false],
    ['forwarded', false],
    ['idempotency-key', false],
    ['x-license-key', true],
    ['x-pin', true],
    ['x-hub-signature-256', true],
    ['x-amz-request-id', false],
    ['content-security-policy', false],
    ['x-country-code', false],
    ['sec-websocket-key', false],
    ['surrogate-key', false],
  ])('%s is secret: %s', (name, secret) => {
    expect(http({ requestHeaders: [name] }).requestHeaders).toEqual([{ name, isSecret: secret }]);
  });

  it.each<[options: object, option: string]>([
    [{ requestHeaders: 'x-id' }, 'http.requestHeaders'],
    [{ requestHeaders: ['x id'] }, 'http.requestHeaders[0]'],
    [{ responseHeaders: ['ok', 7] }, 'http.responseHeaders[1]'],
    [{ spanName: 'GET' }, 'http.spanName'],
    [{ requestHook: {} }, 'http.requestHook'],
    [{ responseHook: null }, 'http.responseHook'],
  ])('refuses %j, naming %s', (options, option) => {
    expect(() => http(options)).toThrow(expect.objectContaining({ option }));
  });

  it('returns functions unchanged', () => {
    const hooks = { spanName: () => 'a', requestHook: () => {}, responseHook: () => {} };
    expect(http(hooks)).toMatchObject(hooks);
  });
});

describe('the path of the metrics', () => {
  const { ignore } = resolveHttp({ ignore: '/health' }, DEFAULT_KNOWN_METHODS, undefined, '/metrics');

  it.each([
    ['GET', '/metrics', true],
    ['HEAD', '/metrics?x=1', true],
    ['POST', '/metrics', false],
    ['QUERY', '/metrics', false],
    ['GET', '/metrics/x', false],
    ['POST', '/health', true],
  ])('is ignored for scrapes: %s %s: %s', (method, url, expected) => {
    expect(ignore?.({ method, url } as IncomingMessage)).toBe(expected);
  });

  it("returns the result of the application's function unchanged", () => {
    const answer = Promise.resolve(false) as unknown as boolean;
    const resolved = resolveHttp({ ignore: () => answer }, DEFAULT_KNOWN_METHODS, undefined, '/metrics');
    expect(resolved.ignore?.({ method: 'GET', url: '/' } as IncomingMessage)).toBe(answer);
  });
});
