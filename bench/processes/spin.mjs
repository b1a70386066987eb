/**
 * Keeps this process from sleeping, until the returned function is called.
 *
 * A process that writes to a socket of a sleeping process pays for waking it: about ten microseconds on a virtual machine. A
 * fast server keeps this process awake and does not pay. A slow server would pay, and look slower than it is.
 */
export function spin() {
  let spinning = true;
  const turn = () => {
    if (spinning) setImmediate(turn);
  };
  turn();
  return () => {
    spinning = false;
  };
}
