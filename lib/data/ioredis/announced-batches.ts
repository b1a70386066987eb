/** True while a transaction is sent that has a span already. */
let isFollowed = false;

/** Calls a function that announces a transaction on the channel, which has a span already. */
export function withoutBatchChannel<T>(send: () => T): T {
  const outer = isFollowed;
  isFollowed = true;
  try {
    return send();
  } finally {
    isFollowed = outer;
  }
}

/** True if the transaction that is announced now has a span already. */
export function isBatchFollowed(): boolean {
  return isFollowed;
}
