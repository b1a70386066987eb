/**
 * Waits for `work` until `deadline`, a time of `Date.now()`, at most. Never rejects.
 *
 * @returns false if the work failed or was not done in time
 */
export async function beforeDeadline(deadline: number, work: () => Promise<unknown> | undefined): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const expiry = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, deadline - Date.now()), false);
  });
  try {
    return await Promise.race([Promise.resolve(work()).then(() => true), expiry]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}
