import { describe, expect, it } from '@jest/globals';
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { setTimeout as later } from 'node:timers/promises';
import type { Socket } from 'node:net';
import {
  client,
  clientSpans,
  expectBare,
  expectCarried,
  nodePropagates,
  runOf,
  withClientApp,
} from '../support/client-app.js';

type Send = (url: string) => Promise<unknown>;

const byFetch: Send = async (url) => (await fetch(url)).text();

function byNode(agent?: HttpAgent): Send {
  return (url) =>
    new Promise((resolve, reject) => {
      const request = httpRequest(url, { ...(agent && { agent }) }, (response) => {
        response.resume().once('end', resolve);
      });
      request.once('error', reject).end();
    });
}

describe('many requests at once', () => {
  it('stay each in its own trace, and all of them end', async () => {
    const agent = new HttpAgent({ keepAlive: true, maxSockets: 7 });
    const kinds = [byFetch, byNode(), byNode(agent)];
    await withClientApp({}, async ({ run, target, traces }) => {
      const runs = Array.from({ length: 200 }, (_, index) => index);
      await Promise.all(
        runs.map((index) =>
          run(async () => {
            // Some requests start at once and some in a later turn of the event loop, so that they interleave.
            if (index % 3 > 0) await later(index % 5);
            const send = kinds[index % kinds.length]!;
            await Promise.all([send(`${target.url}/ok/${index}/a`), send(`${target.url}/ok/${index}/b`)]);
          }),
        ),
      );
      await traces.until((spans) => spans.length === runs.length * 4, '200 runs');
      for (const span of clientSpans(traces.spans)) {
        const { pathname } = new URL(String(span.attributes['url.full']));
        const received = target.only(pathname);
        const index = Number(pathname.split('/')[2]);
        if (nodePropagates || index % kinds.length === 0) expectCarried(received, span);
        else expectBare(received);
      }
      const pairs = new Map<string, Set<string>>();
      for (const span of clientSpans(traces.spans)) {
        const { traceId } = span.spanContext();
        const run = new URL(String(span.attributes['url.full'])).pathname.split('/')[2]!;
        pairs.set(traceId, (pairs.get(traceId) ?? new Set()).add(run));
      }
      expect([...pairs.values()].every((runsOfTrace) => runsOfTrace.size === 1)).toBe(true);
      expect(pairs.size).toBe(runs.length);
      await traces.expect(...runs.map(() => runOf(client('GET', 200), client('GET', 200))));
    });
    agent.destroy();
  });
});

describe('thousands of requests', () => {
  it('leave no listener on the sockets they shared, and no span open', async () => {
    const sockets = new Set<Socket>();
    const agent = new HttpAgent({ keepAlive: true, maxSockets: 4 });
    agent.on('free', (socket: Socket) => sockets.add(socket));
    const send = byNode(agent);
    await withClientApp({ tracing: { sampler: 'always_on' } }, async ({ run, target, traces }) => {
      const batch = () => run(() => Promise.all(Array.from({ length: 500 }, () => send(`${target.url}/ok`))));
      await batch();
      const before = [...sockets].map(listenersOf);
      for (let i = 0; i < 5; i++) {
        await batch();
        target.received.length = 0;
      }
      await traces.until((spans) => spans.length === 6 * 502, '3000 requests');
      expect(traces.open).toEqual([]);
      expect(sockets.size).toBe(4);
      expect([...sockets].map(listenersOf)).toEqual(before);
    });
    agent.destroy();
  });
});

function listenersOf(socket: Socket): Record<string, number> {
  return Object.fromEntries(socket.eventNames().map((name) => [String(name), socket.listenerCount(name)]));
}
