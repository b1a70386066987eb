import { afterEach, describe, expect, it } from '@jest/globals';
import { Args, Query, Resolver } from '@nestjs/graphql';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { startGraphQLApp } from '../support/graphql-app.js';
import { heapGrowth } from '../support/heap.js';
import { startSocketApp } from '../support/socket-app.js';

const MIB = 2 ** 20;
const COUNT = 30;

/** The timers of a handler keep the context in which they were created. */
const timers: NodeJS.Timeout[] = [];
const leaveTimer = (): void => void timers.push(setTimeout(() => {}, 2 ** 30));

afterEach(() => {
  for (const timer of timers.splice(0)) clearTimeout(timer);
});

@WebSocketGateway()
class UploadGateway {
  @SubscribeMessage('upload')
  upload(@MessageBody() data: { text: string }): object {
    leaveTimer();
    return { event: 'uploaded', data: data.text.length };
  }
}

@Resolver()
class UploadResolver {
  @Query(() => Number)
  upload(@Args('text', { type: () => String }) text: string): number {
    leaveTimer();
    return text.length;
  }
}

describe.each([['Socket.IO'], ['ws']] as const)('a message over %s that leaves a timer behind', (library) => {
  it('is not held by it', async () => {
    const app = await startSocketApp(library, 'Express', { providers: [UploadGateway] });
    const client = await app.connect();
    const upload = async (index: number): Promise<void> => {
      client.send('upload', { text: String(index % 10).repeat(MIB / 2) });
      await client.next();
    };
    for (let index = 0; index < 5; index++) await upload(index);
    const growth = await heapGrowth(async () => {
      for (let index = 0; index < COUNT; index++) await upload(index);
      app.traces.reset();
    });
    expect(timers).toHaveLength(COUNT + 5);
    expect(growth).toBeLessThan((COUNT / 2) * MIB * 0.3);
    await app.close();
  });
});

describe('an operation that leaves a timer behind', () => {
  it('is not held by it', async () => {
    const app = await startGraphQLApp('Apollo on Express', { resolvers: [UploadResolver], nest: { bodyParser: true } });
    const upload = (index: number) => app.query(`{ upload(text: "${String(index % 10).repeat(80_000)}") }`);
    for (let index = 0; index < 5; index++) expect(await upload(index)).toEqual({ data: { upload: 80_000 } });
    const growth = await heapGrowth(async () => {
      for (let index = 0; index < COUNT; index++) await upload(index);
      app.traces.reset();
    });
    expect(growth).toBeLessThan(COUNT * 80_000 * 0.5);
    await app.close();
  });
});
