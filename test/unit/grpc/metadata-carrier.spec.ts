import { describe, expect, it } from '@jest/globals';
import { Metadata } from '@grpc/grpc-js';
import { metadataGetter, metadataSetter, metadataText } from '../../../lib/grpc/metadata-carrier.js';

describe('metadata as a carrier', () => {
  const metadata = new Metadata();
  metadata.add('one', 'a');
  metadata.add('two', 'a');
  metadata.add('two', 'b');
  metadata.add('bytes-bin', Buffer.from([0, 255]));

  it.each([
    ['one', 'a'],
    ['ONE', 'a'],
    ['two', ['a', 'b']],
    ['none', undefined],
    ['bytes-bin', undefined],
  ])('reads %s', (key, value) => {
    expect(metadataGetter.get(metadata, key)).toEqual(value);
  });

  it('knows its keys', () => {
    expect(metadataGetter.keys(metadata)).toEqual(['one', 'two', 'bytes-bin']);
  });

  it('is written over', () => {
    const written = metadata.clone();
    metadataSetter.set(written, 'two', 'c');
    expect(written.get('two')).toEqual(['c']);
  });

  it.each([
    ['two', ['a', 'b']],
    ['bytes-bin', ['AP8=']],
    ['none', []],
  ])('is text to spans: %s', (key, values) => {
    expect(metadataText(metadata, key)).toEqual(values);
  });
});
