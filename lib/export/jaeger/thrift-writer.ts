import { Buffer } from 'node:buffer';

/** Types of fields and elements in Thrift's binary protocol. */
export const Type = { BOOL: 2, DOUBLE: 4, I32: 8, I64: 10, STRING: 11, STRUCT: 12, LIST: 15 } as const;

const INITIAL_SIZE = 4096;

/** Writes structs in Thrift's binary protocol. A struct is a sequence of fields that `stop()` ends. */
export class ThriftWriter {
  private buffer = Buffer.allocUnsafe(INITIAL_SIZE);
  private position = 0;

  /** Returns a copy of what was written, and starts again. */
  take(): Buffer {
    const written = Buffer.from(this.buffer.subarray(0, this.position));
    this.position = 0;
    return written;
  }

  /** Discards what was written. */
  clear(): void {
    this.position = 0;
  }

  boolean(field: number, value: boolean): void {
    this.header(Type.BOOL, field);
    this.byte(Number(value));
  }

  double(field: number, value: number): void {
    this.header(Type.DOUBLE, field);
    this.reserve(8);
    this.position = this.buffer.writeDoubleBE(value, this.position);
  }

  integer(field: number, value: number): void {
    this.header(Type.I32, field);
    this.int32(value);
  }

  /** Writes an integer of 64 bits. */
  long(field: number, value: bigint): void {
    this.header(Type.I64, field);
    this.reserve(8);
    this.position = this.buffer.writeBigInt64BE(BigInt.asIntN(64, value), this.position);
  }

  text(field: number, value: string): void {
    this.header(Type.STRING, field);
    this.reserve(4 + 3 * value.length);
    const size = this.buffer.write(value, this.position + 4);
    this.int32(size);
    this.position += size;
  }

  /** Starts a struct in a field. `stop()` ends it. */
  struct(field: number): void {
    this.header(Type.STRUCT, field);
  }

  /** Starts a list of structs, each of which `stop()` ends. */
  structs(field: number, count: number): void {
    this.header(Type.LIST, field);
    this.byte(Type.STRUCT);
    this.int32(count);
  }

  stop(): void {
    this.byte(0);
  }

  /** Writes something that is encoded already. */
  encoded(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.position);
    this.position += bytes.length;
  }

  private header(type: number, field: number): void {
    this.reserve(3);
    this.buffer[this.position++] = type;
    this.position = this.buffer.writeInt16BE(field, this.position);
  }

  private byte(value: number): void {
    this.reserve(1);
    this.buffer[this.position++] = value;
  }

  private int32(value: number): void {
    this.reserve(4);
    this.position = this.buffer.writeInt32BE(value | 0, this.position);
  }

  private reserve(size: number): void {
    const needed = this.position + size;
    if (needed <= this.buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.buffer.length));
    this.buffer.copy(larger, 0, 0, this.position);
    this.buffer = larger;
  }
}
