/** The encoded messages of app/users.proto, so that the other end of a call needs little CPU time. */
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
/** The number of messages in a stream. */
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
