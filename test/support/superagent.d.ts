/** The part of superagent that the tests use, because the package has no types. */
declare module 'superagent' {
  interface SuperagentRequest extends Promise<{ readonly text: string }> {
    ok(accepts: () => boolean): this;
    timeout(milliseconds: number): this;
    abort(): this;
  }
  const superagent: { get(url: string): SuperagentRequest };
  export default superagent;
}
