/** The host and the port of an authority. */
export interface Authority {
  /** An IPv6 address has no brackets here. */
  readonly host: string | undefined;
  readonly port: number | undefined;
}

const NONE: Authority = { host: undefined, port: undefined };

/** Parses the authority of a URI: `example.com`, `example.com:8080`, `[::1]:8080`. A malformed one has neither host nor port. */
export function parseAuthority(authority: string | undefined): Authority {
  const [match, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:/]*))(?::(\d{1,5}))?$/.exec(authority ?? '') ?? [];
  if (match === undefined) return NONE;
  return { host: bracketed || plain || undefined, port: port === undefined ? undefined : Number(port) };
}
