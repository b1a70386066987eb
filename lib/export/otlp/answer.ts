import type { EventEmitter } from 'node:events';
import { cutText } from '../../core/cut-text.js';
import { ConnectionError } from './sender.js';

/** Bytes of an answer that are read: answers of OTLP are short. */
const MAX_ANSWER = 64 * 1024;
/** Preliminary answers (1xx) to a message, beyond which there will be no other. */
const MAX_PRELIMINARY = 10;
/** Characters of an answer in a message. */
const MAX_SHOWN = 256;

/**
 * Collects what a receiver answers. Returns a function that returns the bytes so far.
 *
 * @param refuse called with an error if the answer is too long
 */
export function collectAnswer(stream: EventEmitter, refuse: (error: ConnectionError) => void): () => Buffer {
  const chunks: Buffer[] = [];
  let length = 0;
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MAX_ANSWER) refuse(new ConnectionError(`an answer of more than ${MAX_ANSWER} bytes`));
  });
  return () => Buffer.concat(chunks);
}

/**
 * Returns a function that counts the preliminary answers to a message.
 *
 * @param refuse called with an error if there are too many
 */
export function limitPreliminary(refuse: (error: ConnectionError) => void): () => void {
  let count = 0;
  return () => {
    if (++count > MAX_PRELIMINARY) refuse(new ConnectionError('no answer but preliminary ones'));
  };
}

/** Shortens a text of a receiver to the length that a warning has room for. */
export function shorten(text: string): string {
  return cutText(text, MAX_SHOWN);
}
