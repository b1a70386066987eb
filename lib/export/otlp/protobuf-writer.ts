import { Buffer } from 'node:buffer';
import { takeBuffer } from './buffer-pool.js';

/** `Buffer` as it is: its method that writes UTF-8 without any checks is not declared. */
type Utf8Buffer = Buffer & { utf8Write(text: string, position: number): number };

/** Bytes that are reserved for the length of a long message: enough for 256 MiB. */
const RESERVED = 4;
/** The length of a shorter message takes one byte. */
const SHORT_MESSAGE = 128;

/** The length of a shorter text takes one byte, whatever it consists of: a UTF-16 code unit has three bytes at most. */
const SHORT_TEXT = 42;

/**
 * Writes messages of Protocol Buffers into one buffer.
 *
 * The length of a nested message stands before it, and is known after it. Room for it is reserved: one byte for a message that is nearly
 * always short, which is moved if it is not, or four, which then hold a varint of fixed width. Together with short texts that are written
 * without a call into C++ that halves the time of a general writer: a server span takes 1.1 µs instead of 2.3 µs with pbf 5.1 (Node 24).
 */
export class ProtobufWriter {
  private buffer: Utf8Buffer;
  private position = 0;

  /** @param size the bytes for which there is room; the writer grows if it needs more */
  constructor(size: number) {
    this.buffer = takeBuffer(size) as Utf8Buffer;
  }

  get length(): number {
    return this.position;
  }

  /** The bytes that have been written. They are shared with the writer, which does not change them. */
  get written(): Buffer {
    return this.buffer.subarray(0, this.position);
  }

  /** The buffer that is written to. It is replaced by a larger one if it has no more room. */
  get current(): Buffer {
    return this.buffer;
  }

  /** Makes room for so many more bytes. */
  reserve(size: number): void {
    const needed = this.position + size;
    if (needed <= this.buffer.length) return;
    const larger = takeBuffer(Math.max(needed, this.buffer.length * 2)) as Utf8Buffer;
    this.buffer.copy(larger, 0, 0, this.position);
    this.buffer = larger;
  }

  /** Starts a nested message that is probably short. Returns its position, for `endShort()`. */
  startShort(tag: number): number {
    this.reserve(RESERVED + 2);
    this.buffer[this.position] = tag;
    return (this.position += 2);
  }

  endShort(start: number): void {
    const length = this.position - start;
    if (length < SHORT_MESSAGE) this.buffer[start - 1] = length;
    else this.moveLong(start);
  }

  /** Moves a message that turned out to be long, to make room for its length. */
  private moveLong(start: number): void {
    this.reserve(RESERVED);
    this.buffer.copyWithin(start + RESERVED - 1, start, this.position);
    this.position += RESERVED - 1;
    this.endMessage(start + RESERVED - 1);
  }

  /** Starts a nested message. Returns its position, for `endMessage()`. */
  startMessage(tag: number): number {
    this.reserve(RESERVED + 2);
    this.buffer[this.position++] = tag;
    this.position += RESERVED;
    return this.position;
  }

  endMessage(start: number): void {
    const length = this.position - start;
    const { buffer } = this;
    buffer[start - 4] = (length & 127) | 128;
    buffer[start - 3] = ((length >>> 7) & 127) | 128;
    buffer[start - 2] = ((length >>> 14) & 127) | 128;
    buffer[start - 1] = length >>> 21;
  }

  /** Writes bytes that are encoded already. */
  encoded(bytes: Uint8Array): void {
    const { length } = bytes;
    this.reserve(length);
    const { buffer, position } = this;
    // For a few bytes, such as a key, a loop takes half the time of a call into C++.
    if (length > SHORT_TEXT) buffer.set(bytes, position);
    else for (let index = 0; index < length; index++) buffer[position + index] = bytes[index] as number;
    this.position = position + length;
  }

  /** Writes a part of another buffer. */
  copy(source: Buffer, start: number, end: number): void {
    this.reserve(end - start);
    source.copy(this.buffer, this.position, start, end);
    this.position += end - start;
  }

  bytes(tag: number, bytes: Uint8Array): void {
    this.reserve(bytes.length + 7);
    this.buffer[this.position++] = tag;
    this.writeVarint(bytes.length);
    this.encoded(bytes);
  }

  /** Writes a safe integer, which may be negative: that takes ten bytes, as a 64-bit integer in two's complement. */
  varint(tag: number, value: number): void {
    this.reserve(11);
    this.buffer[this.position++] = tag;
    if (value >= 0) this.writeVarint(value);
    else this.writeNegativeVarint(value);
  }

  fixed32(tag: number, value: number): void {
    this.reserve(6);
    const { buffer } = this;
    // The one field of 32 bits in OTLP has a number above 15, so its tag takes two bytes.
    buffer[this.position++] = (tag & 127) | 128;
    buffer[this.position++] = tag >>> 7;
    this.position = buffer.writeUInt32LE(value >>> 0, this.position);
  }

  /** Writes 16 bytes, in the order of the digits of an id. */
  words4(tag: number, word0: number, word1: number, word2: number, word3: number): void {
    this.reserve(18);
    this.buffer[this.position++] = tag;
    this.buffer[this.position++] = 16;
    this.word(word0);
    this.word(word1);
    this.word(word2);
    this.word(word3);
  }

  /** Writes 8 bytes, in the order of the digits of an id. */
  words2(tag: number, word0: number, word1: number): void {
    this.reserve(10);
    this.buffer[this.position++] = tag;
    this.buffer[this.position++] = 8;
    this.word(word0);
    this.word(word1);
  }

  private word(word: number): void {
    const { buffer, position } = this;
    buffer[position] = word >>> 24;
    buffer[position + 1] = word >>> 16;
    buffer[position + 2] = word >>> 8;
    buffer[position + 3] = word;
    this.position = position + 4;
  }

  text(tag: number, text: string): void {
    const { length } = text;
    this.reserve(length * 3 + 7);
    const { buffer } = this;
    buffer[this.position++] = tag;
    if (length < SHORT_TEXT) {
      const start = this.position + 1;
      let index = 0;
      for (; index < length; index++) {
        const code = text.charCodeAt(index);
        if (code > 127) break;
        buffer[start + index] = code;
      }
      const size = index === length ? length : buffer.utf8Write(text, start);
      buffer[this.position] = size;
      this.position = start + size;
      return;
    }
    this.writeVarint(Buffer.byteLength(text));
    this.position += buffer.utf8Write(text, this.position);
  }

  double(tag: number, value: number): void {
    this.reserve(9);
    this.buffer[this.position++] = tag;
    this.position = this.buffer.writeDoubleLE(value, this.position);
  }

  /** Writes an identifier of hexadecimal digits as bytes. */
  hex(tag: number, digits: string): void {
    const size = digits.length / 2;
    this.reserve(size + 2);
    const { buffer } = this;
    buffer[this.position++] = tag;
    buffer[this.position++] = size;
    for (let index = 0; index < digits.length; index += 2) {
      buffer[this.position++] = (digit(digits, index) << 4) | digit(digits, index + 1);
    }
  }

  /** Writes a time as nanoseconds, in 64 bits. */
  time(tag: number, seconds: number, nanoseconds: number): void {
    this.reserve(9);
    const { buffer, position } = this;
    buffer[position] = tag;
    // A product of two 32-bit numbers has more bits than a number keeps, so the two halves are computed apart.
    const total = seconds * 1e9 + nanoseconds;
    const low = (Math.imul(seconds, 1e9) + nanoseconds) >>> 0;
    const high = Math.round((total - low) / 2 ** 32);
    buffer.writeUInt32LE(low, position + 1);
    buffer.writeUInt32LE(high >>> 0, position + 5);
    this.position = position + 9;
  }

  private writeNegativeVarint(value: number): void {
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 127n) {
      this.buffer[this.position++] = Number(rest & 127n) | 128;
      rest >>= 7n;
    }
    this.buffer[this.position++] = Number(rest);
  }

  private writeVarint(value: number): void {
    const { buffer } = this;
    let rest = value;
    while (rest > 127) {
      buffer[this.position++] = (rest & 127) | 128;
      rest = rest < 2 ** 31 ? rest >>> 7 : Math.floor(rest / 128);
    }
    buffer[this.position++] = rest;
  }
}

function digit(digits: string, index: number): number {
  const code = digits.charCodeAt(index);
  if (code <= 57) return code - 48;
  return code <= 70 ? code - 55 : code - 87;
}
