/**
 * Keeps this process from ever waiting, until the function that it returns is called.
 *
 * Who writes to a socket of somebody who sleeps pays for waking him, some ten microseconds on a virtual machine. A fast
 * server would keep us awake and not pay, a slow one would: it would look slower than it is.
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
