import { afterEach, describe, expect, it } from '@jest/globals';
import { Args, Info, Query, Resolver } from '@nestjs/graphql';
import type { GraphQLResolveInfo } from 'graphql';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { startGraphQLApp } from '../support/graphql-app.js';
import { countHeld } from '../support/garbage.js';
import { startSocketApp } from '../support/socket-app.js';

const COUNT = 30;
/** A connection or the compiler may hold the last ones. */
const LAST = 2;

/** The timers of a handler keep the context in which they were created. */
const timers: NodeJS.Timeout[] = [];
const leaveTimer = (): void => void timers.push(setTimeout(() => {}, 2 ** 30));
/** The messages and operations that the handlers have seen, in weak references so that they can be collected. */
let seen: WeakRef<object>[] = [];

afterEach(() => {
  for (const timer of timers.splice(0)) clearTimeout(timer);
  seen = [];
});

@WebSocketGateway()
class UploadGateway {
  @SubscribeMessage('upload')
  upload(@MessageBody() data: { text: string }): object {
    leaveTimer();
    seen.push(new WeakRef(data));
    return { event: 'uploaded', data: data.text.length };
  }
}

@Resolver()
class UploadResolver {
  @Query(() => Number)
  upload(@Args('text', { type: () => String }) text: string, @Info() info: GraphQLResolveInfo): number {
    leaveTimer();
    seen.push(new WeakRef(info));
    return text.length;
  }
}

describe.each([['Socket.IO'], ['ws']] as const)('a message over %s that leaves a timer behind', (library) => {
  it('is not held by it', async () => {
    const app = await startSocketApp(library, 'Express', { providers: [UploadGateway] });
    const client = await app.connect();
    for (let index = 0; index < COUNT; index++) {
      client.send('upload', { text: String(index) });
      await client.next();
    }
    app.traces.reset();
    expect(seen).toHaveLength(COUNT);
    expect(await countHeld(seen)).toBeLessThanOrEqual(LAST);
    await app.close();
  });
});

describe('an operation that leaves a timer behind', () => {
  it('is not held by it', async () => {
    const app = await startGraphQLApp('Apollo on Express', { resolvers: [UploadResolver], nest: { bodyParser: true } });
    for (let index = 0; index < COUNT; index++) {
      expect(await app.query(`{ upload(text: "${index}") }`)).toEqual({ data: { upload: String(index).length } });
    }
    app.traces.reset();
    expect(seen).toHaveLength(COUNT);
    expect(await countHeld(seen)).toBeLessThanOrEqual(LAST);
    await app.close();
  });
});
