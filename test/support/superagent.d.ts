/** The part that the tests use: the package has no types of its own. */
declare module 'superagent' {
  interface SuperagentRequest extends Promise<{ readonly text: string }> {
    ok(accepts: () => boolean): this;
    timeout(milliseconds: number): this;
    abort(): this;
  }
  const superagent: { get(url: string): SuperagentRequest };
  export default superagent;
}
