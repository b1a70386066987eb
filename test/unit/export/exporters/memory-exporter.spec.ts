import { describe, expect, it } from '@jest/globals';
import { MemorySpanExporter } from '../../../../lib/export/exporters/memory-exporter.js';
import { fakeSpan } from '../../sdk/fake-span.js';

describe('MemorySpanExporter', () => {
  it('keeps the newest spans in their order, even after its shutdown', async () => {
    const memory = new MemorySpanExporter(3);
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) memory.export([fakeSpan(name)], () => {});
    expect(memory.getFinishedSpans().map(({ name }) => name)).toEqual(['e', 'f', 'g']);
    await memory.shutdown();
    expect(memory.getFinishedSpans()).toHaveLength(3);
    memory.reset();
    expect(memory.getFinishedSpans()).toEqual([]);
  });

  it('is bounded by default', () => {
    const memory = new MemorySpanExporter();
    const span = fakeSpan('a');
    for (let index = 0; index < 25_000; index++) memory.export([span], () => {});
    expect(memory.getFinishedSpans()).toHaveLength(10_000);
  });
});
