import type { Application } from './nest-project.js';
import type { Project } from './project.js';

/** The backends for development that a compose file starts. */
export type Backends = 'jaeger' | 'grafana';

/** Reads a file of the package, by its path below `observability/`. */
export type ReadTemplate = (path: string) => string;

const JAEGER = `# Jaeger for development: docker compose -f compose.tracing.yaml up
# Its page is http://localhost:16686. It keeps traces in memory, and its ports are open only to this machine.

services:
  jaeger:
    image: jaegertracing/jaeger:2.20.0
    ports:
      - 127.0.0.1:4317:4317
      - 127.0.0.1:4318:4318
      - 127.0.0.1:16686:16686
`;

const COMPOSE_HEAD = `# Backends for traces and metrics, for development: docker compose -f observability/compose.yaml up
# Grafana is http://localhost:3001, Jaeger is http://localhost:16686. There are no passwords, so all ports are open only to this machine.
# \`docker compose down\` deletes all data.
`;

/** The files that are copied as they are: those of the sample, which are tested with the programs themselves. */
export const COPIED = [
  'jaeger-to-tempo.yaml',
  'tempo.yaml',
  'scaled/jaeger.yaml',
  'scaled/storage-memory.yaml',
  'prometheus/alerts.yaml',
  'grafana/provisioning/datasources/datasources.yaml',
  'grafana/provisioning/dashboards/dashboards.yaml',
  'grafana/dashboards/library-health.json',
  'grafana/dashboards/service-overview.json',
];

/** Adds a compose file with a backend, and dashboards for it. Files that exist are left as they are. */
export function addBackends(
  project: Project,
  application: Application,
  backends: Backends,
  template: ReadTemplate,
): void {
  if (backends === 'jaeger') {
    add(project, '/compose.tracing.yaml', JAEGER);
    return;
  }
  const folder = '/observability';
  add(project, `${folder}/compose.yaml`, composeFile(template('compose.yaml')));
  add(project, `${folder}/prometheus/prometheus.yaml`, prometheusFile(serviceName(project, application)));
  for (const path of COPIED) add(project, `${folder}/${path}`, template(path));
  if (project.dependsOn('prom-client')) return;
  project.ask(
    "The dashboards need metrics: npm install prom-client, and TracingModule.forRoot({ metrics: { path: '/metrics' } }). Correct name and port of the service in observability/prometheus/prometheus.yaml.",
  );
}

function add(project: Project, path: string, text: string): void {
  if (project.read(path) === undefined) project.write(path, text);
}

/** Removes what only the sample needs: its first lines, and the collector for tail sampling at the end. */
function composeFile(sample: string): string {
  const start = sample.indexOf('\nservices:');
  const end = sample.indexOf('\n\n  # For services that send to port 14318');
  return `${COMPOSE_HEAD}${sample.slice(start, end < 0 ? undefined : end).replace(/ *# Port 3000 .*\n/, '')}\n`;
}

function prometheusFile(service: string): string {
  return `# One job for each service, with the service's name in traces: dashboards and alerts distinguish services by \`job\`.

global:
  scrape_interval: 5s
  evaluation_interval: 15s

rule_files: [alerts.yaml]

scrape_configs:
  - job_name: ${JSON.stringify(service)}
    static_configs:
      - targets: [host.docker.internal:3000]
`;
}

function serviceName({ manifest }: Project, { name }: Application): string {
  return name ?? manifest.name ?? 'my-service';
}
