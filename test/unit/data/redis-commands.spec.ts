import { describe, expect, it } from '@jest/globals';
import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { kindOf } from '../../../lib/data/redis/command-kind.js';
import { commandText } from '../../../lib/data/redis/key-pattern.js';
import { hasMutedKey, muteCommands, muteKeys } from '../../../lib/core/muted-keys.js';
import { OpenQueries } from '../../../lib/data/open-queries.js';
import type { QuerySettings } from '../../../lib/data/query-settings.js';
import { redisTarget, startBatch, startCommand } from '../../../lib/data/redis/start-command.js';
import { resolveData } from '../../../lib/options/data.js';
import { recordSpans } from '../../support/recorded-spans.js';
import { redis } from '../../../lib/data/redis/system.js';

describe('the text of a command', () => {
  it.each<[string, unknown, string | undefined]>([
    ['GET', 'user:7', 'GET user:?'],
    ['HSET', 'user:alice@example.com:cart', 'HSET user:?'],
    ['GET', 'cache/page/7', 'GET cache/?'],
    ['DEL', 'session', 'DEL ?'],
    ['DEL', '4f2a:7', 'DEL ?'],
    ['SET', 'Kx9-token:secret', 'SET ?'],
    ['SET', `${'a'.repeat(33)}:secret`, 'SET ?'],
    ['SET', `${'a'.repeat(32)}:secret`, `SET ${'a'.repeat(32)}:?`],
    ['SET', 'a'.repeat(40), 'SET ?'],
    ['GET', 'user:', 'GET ?'],
    ['GET', 'user', 'GET ?'],
    ['GET', '', 'GET ?'],
    ['GET', ':7', 'GET ?'],
    ['GET', '-a:7', 'GET ?'],
    ['GET', 'User-agent_x|7', 'GET User-agent_x|?'],
    ['GET', 'café:7', 'GET ?'],
    ['GET', Buffer.from('user:7'), 'GET ?'],
    ['GET', undefined, 'GET ?'],
    ['EVAL', 'return "user:7"', undefined],
    ['CONFIG', 'SET', undefined],
    ['ACL', 'SETUSER', undefined],
    ['AUTH', 'secret', undefined],
    ['PUBLISH', 'channel:7', undefined],
    ['ECHO', 'secret:7', undefined],
    ['NO.SUCH', 'secret:7', undefined],
  ])('%s %p is %p', (operation, key, text) => {
    expect(kindOf(operation).hasKey ? commandText(operation, key) : undefined).toBe(text);
  });
});

describe('the name of a command', () => {
  it.each<[string, string | undefined]>([
    ['get', 'GET'],
    ['GEORADIUSBYMEMBER_RO', 'GEORADIUSBYMEMBER_RO'],
    ['RESTORE-ASKING', 'RESTORE-ASKING'],
    ['FT._ALIASADDIFNX', 'FT._ALIASADDIFNX'],
    ['tdigest.trimmed_mean', 'TDIGEST.TRIMMED_MEAN'],
    ['b840fc02d524045429941cc15f59e41cb7be6c52', undefined],
    ['secret-1', undefined],
    ['a'.repeat(41), undefined],
    ['set user', undefined],
    ['.get', undefined],
    ['', undefined],
  ])('%p is %p', (name, operation) => {
    expect(kindOf(name).operation).toBe(operation);
  });
});

describe('muted keys', () => {
  it('are muted until everything has ended that mutes them', () => {
    const undos = [muteKeys('bull:orders:'), muteKeys('bull:orders:')];
    const args = ['sha', 3, 'bull:orders:wait'];
    expect(hasMutedKey(args)).toBe(true);
    undos[0]!();
    undos[0]!();
    expect(hasMutedKey(args)).toBe(true);
    undos[1]!();
    expect(hasMutedKey(args)).toBe(false);
  });

  it('are only those with the prefix', () => {
    const undo = muteKeys('bull:orders:');
    const found = [['bull:orders'], ['bull:others:wait'], ['BLOCK', '1', 'STREAMS', 'bull:orders:events', '$'], []];
    expect(found.map(hasMutedKey)).toEqual([false, false, true, false]);
    undo();
  });
});

describe('muted commands', () => {
  const spans = recordSpans();

  it('have no span, neither alone nor in a batch, while those of the application in the same trace have', () => {
    const caller = trace.setSpan(ROOT_CONTEXT, trace.getTracer('test').startSpan('caller'));
    const settings = { ...resolveData({})!.redis, open: new OpenQueries() } as QuerySettings;
    const target = redisTarget(0, 'localhost', 6379);
    for (const context of [muteCommands(caller), caller]) {
      startCommand('get', ['a'], settings, { caller: context, target })?.succeed();
      startBatch('MULTI', [], 2, settings, { caller: context, target }).succeed();
    }
    expect(spans.names()).toEqual(['GET', 'MULTI']);
  });
});

describe('the commands by which a client finds a server', () => {
  const spans = recordSpans();

  it.each<[string, readonly unknown[], readonly string[]]>([
    ['ASKING', [], []],
    ['CLUSTER', ['slots'], []],
    ['CLUSTER', ['INFO'], ['CLUSTER']],
    ['CLUSTER', [], ['CLUSTER']],
    ['SENTINEL', ['MASTER', 'shop'], []],
    ['INFO', [], ['INFO']],
  ])('have no span within a request: %s %p', (name, args, expected) => {
    const caller = trace.setSpan(ROOT_CONTEXT, trace.getTracer('test').startSpan('caller'));
    const settings = { ...resolveData({})!.redis, open: new OpenQueries() } as QuerySettings;
    startCommand(name, args, settings, { caller, target: redisTarget(0, 'localhost', 6379) })?.succeed();
    expect(spans.names()).toEqual(expected);
  });
});

describe('the status code of an error', () => {
  it.each<[object, string | undefined]>([
    [new Error('WRONGTYPE Operation against a key holding the wrong kind of value'), 'WRONGTYPE'],
    [new Error('ERR unknown command'), 'ERR'],
    [new Error('MOVED 3999 127.0.0.1:6381'), 'MOVED'],
    [new Error('Connection is closed.'), undefined],
    [new Error('connect ECONNREFUSED 127.0.0.1:6379'), undefined],
    [new Error('ALICE@EXAMPLE.COM is no email'), undefined],
    [new Error('SECRET value of a script'), undefined],
    [new Error(''), undefined],
    [{ message: 5 }, undefined],
    [Object.assign(new Error('2 commands failed'), { errorIndexes: [1], replies: ['OK', new Error('OOM x')] }), 'OOM'],
    [Object.assign(new Error('ERR x'), { errorIndexes: [7], replies: [] }), 'ERR'],
  ])('%p has %p', (error, code) => {
    expect(redis.statusCodeOf(error)).toBe(code);
  });
});
