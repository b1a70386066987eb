import type { Application } from './nest-project.js';
import type { Project } from './project.js';

/** The names that projects give to the example of their `.env`. */
const NAMES = ['.env.example', '.env.sample', '.env.template', '.env.dist', 'example.env', 'env.example'];

/** Adds the variables of tracing to the example of the environment, which is created if there is none. */
export function addToEnvironmentExample(project: Project, { name }: Application): void {
  const path = `/${NAMES.find((each) => project.read(`/${each}`) !== undefined) ?? '.env.example'}`;
  const before = project.read(path) ?? '';
  if (before.includes('OTEL_EXPORTER_OTLP_ENDPOINT')) return;
  const newline = before.includes('\r\n') ? '\r\n' : '\n';
  // In a monorepo, the applications share these variables, so each has its name in its options.
  const service =
    name === undefined ? [`OTEL_SERVICE_NAME=${project.manifest.name?.replace(/^@.*\//, '') ?? 'my-service'}`] : [];
  const lines = [
    '# Tracing: the standard variables of OpenTelemetry',
    ...service,
    'OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318',
    '# OTEL_EXPORTER_OTLP_HEADERS=x-api-key=secret',
    '# OTEL_TRACES_SAMPLER=parentbased_traceidratio',
    '# OTEL_TRACES_SAMPLER_ARG=0.1',
  ];
  const gap = before === '' ? '' : before.endsWith('\n') ? newline : newline + newline;
  project.write(path, before + gap + lines.join(newline) + newline);
  const loads =
    project.dependsOn('@nestjs/config') || project.dependsOn('dotenv') || startsWithEnvironmentFile(project);
  if (!loads) {
    project.ask(
      `Nothing in this project loads a file .env. Set the variables of ${path.slice(1)} where the application runs, start it with node --env-file=.env, or import ConfigModule.forRoot() of @nestjs/config.`,
    );
  }
}

function startsWithEnvironmentFile({ manifest }: Project): boolean {
  return Object.values(manifest.scripts ?? {}).some((script) => /--env-file\b/.test(script));
}
