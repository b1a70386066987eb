import { Buffer } from 'node:buffer';
import { ProtobufWriter } from './protobuf-writer.js';

/** Tags of `opentelemetry.proto.common.v1`: the number of the field, shifted by three, and its wire type. */
const KEY_VALUE_KEY = 0x0a;
const KEY_VALUE_VALUE = 0x12;
const VALUE_STRING = 0x0a;
const VALUE_BOOLEAN = 0x10;
const VALUE_INTEGER = 0x18;
const VALUE_DOUBLE = 0x21;
const VALUE_ARRAY = 0x2a;
const VALUE_KEY_VALUES = 0x32;
const VALUE_BYTES = 0x3a;
const LIST_VALUES = 0x0a;

/** Keys of attributes are few, and the same in every span. */
const MAX_CACHED_KEYS = 1024;
/** The length of a longer key may take two bytes. */
const MAX_CACHED_LENGTH = 42;
const keys = new Map<string, Uint8Array>();

/** Writes attributes of OTLP in Protocol Buffers. */
export class AttributeWriter extends ProtobufWriter {
  /** Writes each attribute as a field with this tag. An attribute that is undefined is left out. */
  attributes(tag: number, attributes: object): void {
    for (const key in attributes) {
      const value: unknown = attributes[key as keyof typeof attributes];
      if (value === undefined) continue;
      const start = this.startShort(tag);
      this.key(key);
      this.value(KEY_VALUE_VALUE, value);
      this.endShort(start);
    }
  }

  private key(key: string): void {
    const known = keys.get(key);
    if (known) this.encoded(known);
    else if (key.length > MAX_CACHED_LENGTH || keys.size >= MAX_CACHED_KEYS) this.text(KEY_VALUE_KEY, key);
    else {
      const text = Buffer.from(key);
      const bytes = Buffer.concat([Buffer.of(KEY_VALUE_KEY, text.length), text]);
      keys.set(key, bytes);
      this.encoded(bytes);
    }
  }

  private value(tag: number, value: unknown): void {
    const start = this.startShort(tag);
    if (typeof value === 'string') this.text(VALUE_STRING, value);
    else if (typeof value === 'number') this.number(value);
    else if (typeof value === 'boolean') this.varint(VALUE_BOOLEAN, Number(value));
    else if (value instanceof Uint8Array) this.bytes(VALUE_BYTES, value);
    else if (typeof value === 'object' && value !== null) this.composite(value);
    this.endShort(start);
  }

  private number(value: number): void {
    if (Number.isSafeInteger(value)) this.varint(VALUE_INTEGER, value);
    else this.double(VALUE_DOUBLE, value);
  }

  private composite(value: object): void {
    const start = this.startMessage(Array.isArray(value) ? VALUE_ARRAY : VALUE_KEY_VALUES);
    if (Array.isArray(value)) for (const element of value as unknown[]) this.value(LIST_VALUES, element);
    else this.attributes(LIST_VALUES, value);
    this.endMessage(start);
  }
}
