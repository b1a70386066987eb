import { publicAddress } from '../../core/public-address.js';
import { ConnectionError, ProxyError, RefusedError, WEB_PAGE } from './sender.js';

/** The address of a receiver, and the names of the settings that lead to it. */
export interface ConnectionTarget {
  readonly url: string;
  /** The URL of the proxy. Undefined if there is none. */
  readonly proxy: string | undefined;
  /** Says how spans go elsewhere. */
  readonly elsewhere: string;
  /** The setting that names the certificate of an authority. */
  readonly authorities: string;
  /** The settings that name the certificate and the key of the client. Undefined if there are none. */
  readonly clientCertificate: string | undefined;
}

const PROXY_AUTHENTICATION_REQUIRED = 407;

/** The codes for a certificate that no known authority has signed. */
const UNKNOWN_AUTHORITY = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** Returns what may help against the failure of a connection, as one sentence or two. Undefined if nothing is known. */
export function connectionHint(target: ConnectionTarget, error: unknown): string | undefined {
  if (error instanceof RefusedError) return refusalHint(target, error);
  if (!(error instanceof ConnectionError)) return undefined;
  const isOfProxy = error instanceof ProxyError || (target.proxy !== undefined && target.url.startsWith('http:'));
  if (isOfProxy) return proxyHint(target, error.code === PROXY_AUTHENTICATION_REQUIRED);
  return (
    absenceHint(target, error) ??
    nameHint(target, error) ??
    certificateHint(target, error) ??
    protocolHint(error) ??
    silenceHint(error)
  );
}

function refusalHint(target: ConnectionTarget, { code }: RefusedError): string | undefined {
  if (code === WEB_PAGE) return 'It is a web server that answers, and no receiver: correct the endpoint.';
  return code === PROXY_AUTHENTICATION_REQUIRED ? proxyHint(target, true) : undefined;
}

function absenceHint({ elsewhere, url }: ConnectionTarget, { code }: ConnectionError): string | undefined {
  const { hostname } = new URL(url);
  if (code !== 'ECONNREFUSED' || !/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)) return undefined;
  return `Nothing listens there: start a backend, ${elsewhere}.`;
}

function proxyHint({ proxy, url }: ConnectionTarget, needsCredentials: boolean): string | undefined {
  if (proxy === undefined) return undefined;
  const { hostname, protocol } = new URL(url);
  const variable = protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const fix = needsCredentials ? `Put a user and a password that it accepts into ${variable}` : `Correct ${variable}`;
  return `It is sent through the proxy ${publicAddress(proxy)}. ${fix}, or add ${hostname} to NO_PROXY.`;
}

function nameHint({ url }: ConnectionTarget, { code }: ConnectionError): string | undefined {
  const { hostname } = new URL(url);
  if (code === 'ENOTFOUND') return `The name ${hostname} is not known to DNS: correct the endpoint.`;
  return code === 'EAI_AGAIN' ? `No server of DNS answers for ${hostname}: check the network of this host.` : undefined;
}

function certificateHint(target: ConnectionTarget, { code, message }: ConnectionError): string | undefined {
  const { hostname } = new URL(target.url);
  if (typeof code !== 'string') return undefined;
  if (UNKNOWN_AUTHORITY.has(code)) {
    return `No known authority has signed the certificate of the receiver: name the file of its authority by ${target.authorities}.`;
  }
  if (code === 'CERT_HAS_EXPIRED') return 'The certificate of the receiver has to be renewed.';
  if (code === 'CERT_NOT_YET_VALID') return 'Check the certificate of the receiver, and the clock of this host.';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return `The certificate of the receiver is not for ${hostname}: use a name in the endpoint that it has.`;
  }
  if (/alert/i.test(`${code} ${message}`)) {
    const { clientCertificate = 'a proxy that has one' } = target;
    return `The receiver refuses to speak TLS. If it asks for the certificate of a client, name one that it accepts by ${clientCertificate}.`;
  }
  return /wrong version number|packet length too long/i.test(message)
    ? 'The receiver does not speak TLS: use http: in the endpoint.'
    : undefined;
}

function protocolHint({ code }: ConnectionError): string | undefined {
  if (code === 'ERR_HTTP2_ERROR') return 'It is not HTTP/2 that answers there: correct the endpoint.';
  return String(code).startsWith('HPE_') ? 'It is not HTTP that answers there: correct the endpoint.' : undefined;
}

function silenceHint({ code }: ConnectionError): string | undefined {
  return code === 'ETIMEDOUT'
    ? 'See whether a firewall is between, or the receiver is overloaded; "timeout" of the exporter is its time for an answer.'
    : undefined;
}
