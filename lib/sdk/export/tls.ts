import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { parseFirst } from '../../options/lenient.js';
import type { ResolvedFile, ResolvedTls } from '../../options/otlp.js';
import type { Setting } from '../../options/setting.js';
import { TracingConfigurationError } from '../../tracing.errors.js';

/** Certificates in the form that `node:tls` takes. */
export interface TlsFiles {
  readonly ca?: Buffer | undefined;
  readonly cert?: Buffer | undefined;
  readonly key?: Buffer | undefined;
}

/**
 * Reads the certificates that the variables name. A file that cannot be used is warned of and left out: the connection is
 * encrypted all the same, and the receiver is checked by the authorities that Node knows.
 */
export function readTlsFiles({ certificate, clientCertificate, clientKey }: ResolvedTls): TlsFiles {
  const ca = parseFirst(authority, settingOf(certificate));
  const client = parseFirst((cert) => clientFiles(cert, clientKey), settingOf(clientCertificate));
  if (!clientCertificate) parseFirst(refuseSingle, settingOf(clientKey));
  return { ca, ...client };
}

function settingOf(file: ResolvedFile | undefined): Setting | undefined {
  return file && { name: file.variable, value: file.path, variable: file.variable };
}

function authority(setting: Setting): Buffer {
  return check(setting, 'Name a PEM file with certificates that can be read.', () => {
    const ca = readFileSync(String(setting.value));
    // Node takes a file without certificates in silence, and then trusts none.
    void new X509Certificate(ca);
    return ca;
  });
}

/** Both files of the client, which make sense only together. */
function clientFiles(setting: Setting, clientKey: ResolvedFile | undefined): Required<Pick<TlsFiles, 'cert' | 'key'>> {
  if (!clientKey) return refuseSingle(setting);
  const fix = `Name a PEM file with a certificate, and its key by ${clientKey.variable}, that can be read.`;
  return check(setting, fix, () => {
    const files = { cert: readFileSync(String(setting.value)), key: readFileSync(clientKey.path) };
    createSecureContext(files);
    return files;
  });
}

function refuseSingle({ name, value }: Setting): never {
  const fix = 'A client needs both: name its certificate by …_CLIENT_CERTIFICATE and its key by …_CLIENT_KEY.';
  throw new TracingConfigurationError(name, value, fix);
}

function check<T>({ name, value }: Setting, fix: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new TracingConfigurationError(name, value, fix, { cause });
  }
}
