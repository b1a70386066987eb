import { describe, expect, it } from '@jest/globals';
import { ROOT_CONTEXT, type Link } from '@opentelemetry/api';
import { startSpan } from '../../../lib/core/tracer.js';
import { recordSpans } from '../../support/recorded-spans.js';
import { unhandledRejections } from '../../support/unhandled-rejections.js';

const spans = recordSpans();

describe('a span with invalid links', () => {
  const link: Link = { context: { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1 } };

  it.each<[what: string, links: () => unknown, kept: number]>([
    ['nothing in the list', () => [undefined, link, null], 1],
    ['an empty object in the list', () => [{}, link], 1],
    ['a link without ids', () => [{ context: {} }, link, link], 2],
    ['a set', () => new Set([link]), 1],
    ['a promise', () => Promise.resolve([link]), 0],
    ['a promise that rejects', () => Promise.reject(new Error('no links')), 0],
    ['a link', () => link, 0],
    ['a text', () => 'link', 0],
  ])('starts all the same: %s', async (_what, links, kept) => {
    const started = () => startSpan('work', { links: links() as Link[] }, ROOT_CONTEXT).end();
    expect(await unhandledRejections(started)).toEqual([]);
    expect(spans.one('work').links).toHaveLength(kept);
  });
});
