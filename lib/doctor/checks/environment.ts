import type { ApplicationFolder } from '../application-folder.js';
import { ok, warning, type Finding } from '../finding.js';

/** The variables that the application is going to have. */
export interface ApplicationEnvironment {
  readonly env: NodeJS.ProcessEnv;
  readonly findings: Finding[];
}

/** Reads the variables of the process, and those of the files that something in the application loads. A variable of the process wins. */
export function readEnvironment(
  { environmentFiles }: ApplicationFolder,
  env: NodeJS.ProcessEnv,
): ApplicationEnvironment {
  const findings: Finding[] = [];
  const loaded: NodeJS.ProcessEnv = {};
  for (const { loadedBy, name, variables } of environmentFiles) {
    const own = Object.keys(variables).filter((key) => key.startsWith('OTEL_'));
    if (loadedBy !== undefined) Object.assign(loaded, variables);
    if (own.length === 0) continue;
    if (loadedBy === undefined) {
      findings.push(
        warning(
          'environment',
          `${name} has ${own.join(', ')}, but nothing in this application loads it.`,
          `Start with node --env-file=${name}, or import ConfigModule.forRoot() of @nestjs/config.`,
        ),
      );
    } else findings.push(ok('environment', `${name} is read, as the application does by ${loadedBy}`));
  }
  return { env: { ...loaded, ...env }, findings };
}
