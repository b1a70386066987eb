/** The part of mitata that is used here, because types are also checked if the package is not installed. */
declare module 'mitata' {
  export function measure(piece: () => unknown, options: { min_cpu_time: number }): Promise<{ p50: number }>;
}
