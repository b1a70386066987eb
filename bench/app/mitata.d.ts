/** As far as it is used here: the types are checked where the package is not installed. */
declare module 'mitata' {
  export function measure(piece: () => unknown, options: { min_cpu_time: number }): Promise<{ p50: number }>;
}
