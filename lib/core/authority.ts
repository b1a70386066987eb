/** The host and the port of an authority. */
export interface Authority {
  /** An IPv6 address has no brackets here. */
  readonly host: string | undefined;
  readonly port: number | undefined;
}

const NONE: Authority = { host: undefined, port: undefined };

/** The authority that was parsed last: nearly all requests to a service have the same. */
let lastText = '';
let lastAuthority = NONE;

/** Parses the authority of a URI: `example.com`, `example.com:8080`, `[::1]:8080`. A malformed one has neither host nor port. */
export function parseAuthority(authority = ''): Authority {
  if (authority !== lastText) {
    lastAuthority = parse(authority);
    lastText = authority;
  }
  return lastAuthority;
}

function parse(authority: string): Authority {
  const [match, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:/]*))(?::(\d{1,5}))?$/.exec(authority) ?? [];
  if (match === undefined) return NONE;
  return { host: bracketed || plain || undefined, port: port === undefined ? undefined : Number(port) };
}
