/** The commands whose first argument is a key. The arguments of other commands may be values, scripts or passwords. */
const KEY_COMMANDS: ReadonlySet<string> = new Set(
  `APPEND BITCOUNT BITFIELD BITPOS BLMOVE BLPOP BRPOP BZPOPMAX BZPOPMIN DECR DECRBY DEL DUMP EXISTS EXPIRE EXPIREAT GEOADD GEODIST GEOPOS
  GEOSEARCH GET GETBIT GETDEL GETEX GETRANGE GETSET HDEL HEXISTS HEXPIRE HGET HGETALL HINCRBY HINCRBYFLOAT HKEYS HLEN HMGET HMSET
  HSCAN HSET HSETNX HSTRLEN HVALS INCR INCRBY INCRBYFLOAT JSON.DEL JSON.GET JSON.SET LINDEX LINSERT LLEN LMOVE LPOP LPOS LPUSH LPUSHX
  LRANGE LREM LSET LTRIM MGET MOVE MSET MSETNX PERSIST PEXPIRE PEXPIREAT PFADD PFCOUNT PSETEX PTTL RENAME RENAMENX RESTORE RPOP
  RPOPLPUSH RPUSH RPUSHX SADD SCARD SDIFF SET SETBIT SETEX SETNX SETRANGE SINTER SISMEMBER SMEMBERS SMISMEMBER SMOVE SORT SPOP
  SRANDMEMBER SREM SSCAN STRLEN SUNION TOUCH TTL TYPE UNLINK WATCH XACK XADD XLEN XRANGE XREVRANGE XTRIM ZADD ZCARD ZCOUNT ZINCRBY
  ZPOPMAX ZPOPMIN ZRANGE ZRANGEBYSCORE ZRANK ZREM ZREMRANGEBYRANK ZREMRANGEBYSCORE ZREVRANGE ZREVRANK ZSCAN ZSCORE`.split(
    /\s+/,
  ),
);

/** The greatest length of the first part of a key that is shown. */
const MAX_LENGTH = 32;

/** The characters between the parts of a key that is built like `user:7:session`. */
const SEPARATORS = ':/.|';

/** True if the first argument of a command is a key. */
export function hasKey(operation: string): boolean {
  return KEY_COMMANDS.has(operation);
}

/**
 * Returns the text of a command with the pattern of its key, such as `GET user:?`. Nothing but the first part of the key is shown, and only if
 * it is a word: the other parts are identifiers, which may be personal data or secrets.
 */
export function commandText(operation: string, key: unknown): string {
  const end = typeof key === 'string' ? endOfNamespace(key) : 0;
  return end === 0 ? `${operation} ?` : `${operation} ${(key as string).slice(0, end)}?`;
}

/** Returns the length of the first part of a key with its separator. Zero if it is no word, or if nothing follows. */
function endOfNamespace(key: string): number {
  // A regular expression would take several times as long.
  let length = 0;
  while (length <= MAX_LENGTH && isWordCharacter(key.charCodeAt(length), length === 0)) length++;
  const isWord = length > 0 && length <= MAX_LENGTH && key.length > length + 1;
  return isWord && SEPARATORS.includes(key[length] as string) ? length + 1 : 0;
}

/** True for a letter of ASCII, and except for the first character, for a hyphen and an underscore. */
function isWordCharacter(code: number, isFirst: boolean): boolean {
  // The bit is the difference between a capital and a small letter.
  const letter = code | 0x20;
  return (letter >= 0x61 && letter <= 0x7a) || (!isFirst && (code === 0x2d || code === 0x5f));
}
