import { describe, expect, it } from '@jest/globals';
import { readCarrier } from '../../../lib/core/job-carrier.js';
import { recordedAttributes } from '../../../lib/data/bullmq/messages.js';

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('readCarrier()', () => {
  it.each<[unknown, object]>([
    [JSON.stringify({ traceparent: TRACEPARENT }), { traceparent: TRACEPARENT }],
    [JSON.stringify({ traceparent: TRACEPARENT, other: 5, nested: {} }), { traceparent: TRACEPARENT }],
    ['', {}],
    ['{', {}],
    ['null', {}],
    ['"text"', {}],
    [undefined, {}],
    [{ traceparent: TRACEPARENT }, {}],
    [JSON.stringify({ traceparent: 'x'.repeat(20_000) }), {}],
  ])('reads %j as %j', (metadata, carrier) => {
    expect(readCarrier(metadata)).toEqual(carrier);
  });
});

describe('recordedAttributes()', () => {
  it('renames what the conventions name, and leaves out everything that may hold data', () => {
    const given = {
      'bullmq.job.id': '7',
      'bullmq.job.name': 'ship',
      'bullmq.job.attempts.made': 2,
      'bullmq.job.bulk.count': 3,
      'bullmq.job.scheduler.id': 'nightly',
      'bullmq.job.result': '"secret"',
      'bullmq.job.progress': '"secret"',
      'bullmq.job.options': '{"secret":1}',
      'bullmq.job.failed.reason': 'secret',
      'bullmq.job.deduplication.key': 'secret',
      'bullmq.job.bulk.names': ['secret'],
      'bullmq.no.such': 'secret',
    };
    expect(recordedAttributes(given)).toEqual({
      'messaging.message.id': '7',
      'bullmq.job.name': 'ship',
      'bullmq.job.attempts.made': 2,
      'messaging.batch.message_count': 3,
      'bullmq.job.scheduler.id': 'nightly',
    });
    expect(recordedAttributes({ 'bullmq.job.id': undefined })).toEqual({});
  });
});
