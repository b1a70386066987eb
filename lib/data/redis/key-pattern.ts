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

/** The first part of a key that is built like `user:7:session`, and its separator. */
const NAMESPACE = /^([A-Za-z][A-Za-z_-]{0,31})([:/.|])./;

/**
 * Returns the text of a command with the pattern of its key, such as `GET user:?`. Undefined if its first argument is no key. Nothing but the
 * first part of the key is shown: the others are identifiers, which may be personal data or secrets.
 */
export function commandText(operation: string, firstArgument: unknown): string | undefined {
  if (!KEY_COMMANDS.has(operation)) return undefined;
  const [, namespace, separator] = (typeof firstArgument === 'string' && NAMESPACE.exec(firstArgument)) || [];
  return namespace === undefined ? `${operation} ?` : `${operation} ${namespace}${separator}?`;
}
