import { execFileSync } from 'node:child_process';

/** An option in the types, which may have further options within it. */
export interface TypedOption {
  /** The path as errors show it, such as `http.client.ignore`. */
  readonly path: string;
  /** The form of the group in which the option stands: its `type`, or its first key in braces. Undefined at the top level. */
  readonly form?: string;
  /** True if the option has options within it. */
  readonly isGroup: boolean;
  /** True if the option replaces a common one, which is listed already. */
  readonly isRepeated: boolean;
  readonly comment: string;
  /** The variables in the `@default` tag. */
  readonly variables: readonly string[];
}

/** Reads every option of `TracingOptions` with the compiler, so that no list of them is needed. */
export function readOptionTypes(): readonly TypedOption[] {
  const json = execFileSync(process.execPath, ['scripts/options.mjs', '--json'], {
    encoding: 'utf8',
    maxBuffer: 2 ** 24,
  });
  return JSON.parse(json) as readonly TypedOption[];
}
