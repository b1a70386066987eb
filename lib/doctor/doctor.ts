import { ApplicationFolder } from './application-folder.js';
import { checkCompiler } from './checks/compiler.js';
import { checkCopies } from './checks/copies.js';
import { readEnvironment } from './checks/environment.js';
import { checkModule, findExporterOption } from './checks/module.js';
import { checkPreloads } from './checks/preloads.js';
import { checkVersions } from './checks/versions.js';
import { error, warning, type Finding } from './finding.js';

export interface DoctorOptions {
  readonly folder: string;
  /** False if no span is sent. */
  readonly probe: boolean;
}

/** Checks the folder of an application. Changes nothing. */
export async function examine(
  { folder: path, probe }: DoctorOptions,
  processEnv: NodeJS.ProcessEnv,
): Promise<Finding[]> {
  const folder = new ApplicationFolder(path);
  if (!folder.isPackage) {
    return [
      error(
        'folder',
        `${path} has no package.json that can be read.`,
        'Name the folder of an application: npx nestjs-tracing doctor apps/orders',
      ),
    ];
  }
  const { env, findings } = readEnvironment(folder, processEnv);
  return [
    ...checkVersions(folder),
    ...checkCopies(folder),
    ...checkCompiler(folder),
    ...checkModule(folder),
    ...checkPreloads(folder, env),
    ...findings,
    ...(probe ? await sendProbe(folder, env) : []),
  ];
}

/** The code that exports spans needs OpenTelemetry, which may be what is missing. */
async function sendProbe(folder: ApplicationFolder, env: NodeJS.ProcessEnv): Promise<Finding[]> {
  try {
    const { probeExporters } = await import('./probe.js');
    return await probeExporters({ folder: folder.path, env, exporterIn: findExporterOption(folder) });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n', 1)[0] : String(cause);
    return [warning('export', `No span was sent: ${reason}`, 'Correct the errors above first.')];
  }
}
