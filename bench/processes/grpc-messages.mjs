/** The messages of app/users.proto as they stand on the wire, so that the other side of a call costs little. */
export const request = frame(text(1, '42'));
export const response = frame(
  Buffer.concat([
    text(1, '42'),
    text(2, 'Ada Lovelace'),
    text(3, 'ada@example.com'),
    text(4, 'author'),
    text(4, 'editor'),
  ]),
);
/** Messages of a stream. */
export const STREAMED = 10;

export const paths = { unary: '/bench.Users/One', stream: '/bench.Users/List' };

function text(field, value) {
  return Buffer.concat([Buffer.from([(field << 3) | 2, value.length]), Buffer.from(value)]);
}

function frame(message) {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}
