import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { parseFirst } from '../options/lenient.js';
import type { ResolvedFile, ResolvedTls } from '../options/otlp-signal.js';
import type { Setting } from '../options/setting.js';
import { TracingConfigurationError } from '../tracing.errors.js';

/** Certificates in the form of `node:tls`. */
export interface TlsFiles {
  readonly ca?: Buffer | undefined;
  readonly cert?: Buffer | undefined;
  readonly key?: Buffer | undefined;
}

/**
 * Reads the certificates whose files are in the variables. A file that cannot be used is left out with a warning: the connection is
 * encrypted without it, and the certificate of the receiver is checked with the authorities of Node.
 */
export function readTlsFiles({ certificate, clientCertificate, clientKey }: ResolvedTls): TlsFiles {
  const ca = parseFirst(readAuthorities, settingOf(certificate));
  const client = parseFirst((cert) => readClientFiles(cert, clientKey), settingOf(clientCertificate));
  if (!clientCertificate) parseFirst(refuseSingle, settingOf(clientKey));
  return { ca, ...client };
}

function settingOf(file: ResolvedFile | undefined): Setting | undefined {
  return file && { name: file.variable, value: file.path, variable: file.variable };
}

function readAuthorities(setting: Setting): Buffer {
  return readOrRefuse(setting, 'Name a PEM file with certificates that can be read.', () => {
    const ca = readFileSync(String(setting.value));
    // Node accepts a file without certificates, and trusts no receiver then.
    void new X509Certificate(ca);
    return ca;
  });
}

/** Reads the two files of the client, which can only be used together. */
function readClientFiles(
  setting: Setting,
  clientKey: ResolvedFile | undefined,
): Required<Pick<TlsFiles, 'cert' | 'key'>> {
  if (!clientKey) return refuseSingle(setting);
  const fix = `Name a PEM file with a certificate, and its key by ${clientKey.variable}, that can be read.`;
  return readOrRefuse(setting, fix, () => {
    const files = { cert: readFileSync(String(setting.value)), key: readFileSync(clientKey.path) };
    createSecureContext(files);
    return files;
  });
}

function refuseSingle({ name, value }: Setting): never {
  const fix = 'A client needs both: name its certificate by …_CLIENT_CERTIFICATE and its key by …_CLIENT_KEY.';
  throw new TracingConfigurationError(name, value, fix);
}

function readOrRefuse<T>({ name, value }: Setting, fix: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new TracingConfigurationError(name, value, fix, { cause });
  }
}
