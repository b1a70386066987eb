/**
 * Runs Grafana's own code from an exemplar to the links in its tooltip. It is a separate program, because Grafana's packages
 * are not dependencies of this repository.
 *
 *   GRAFANA_PACKAGES=folder node exemplar-links.mjs < { exemplars, datasources } > [{ title, href }][]
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import process from 'node:process';
import { json } from 'node:stream/consumers';

const packages = process.env.GRAFANA_PACKAGES;
const require = createRequire(join(packages, 'package.json'));
const { FieldType, getLinksSupplier } = require('@grafana/data');
const { setDataSourceSrv } = require('@grafana/runtime');
// The index loads the editors as well, which need a browser.
const { transformV2 } = require(join(packages, 'node_modules/@grafana/prometheus/dist/cjs/result_transformer.cjs'));

const { exemplars, datasources } = await json(process.stdin);
setDataSourceSrv({ getInstanceSettings: (uid) => datasources.find((datasource) => datasource.uid === uid) });

const { exemplarTraceIdDestinations } = datasources.find(({ type }) => type === 'prometheus').jsonData;
const request = { targets: [{ refId: 'A', exemplar: true }] };
const { data } = transformV2({ data: [frameOf(exemplars)] }, request, { exemplarTraceIdDestinations });
const [frame] = data;
const field = frame.fields.find(({ name }) => name === 'trace_id');
const links = getLinksSupplier(frame, field, {}, replaceVariables);
const found = exemplars.map((_exemplar, index) =>
  links({ valueRowIndex: index }).map(({ title, href }) => ({ title, href })),
);
process.stdout.write(JSON.stringify(found));

/** The data frame that Grafana's backend makes from the answer of Prometheus. */
function frameOf(exemplars) {
  const labels = [...new Set(exemplars.flatMap((exemplar) => Object.keys({ ...exemplar.series, ...exemplar.labels })))];
  const column = (name, type, valueOf) => ({ name, type, config: {}, values: exemplars.map(valueOf) });
  return {
    refId: 'A',
    name: 'exemplar',
    length: exemplars.length,
    meta: { custom: { resultType: 'exemplar' } },
    fields: [
      column('Time', FieldType.time, ({ timestamp }) => timestamp * 1000),
      column('Value', FieldType.number, ({ value }) => value),
      ...labels.map((name) => column(name, FieldType.string, ({ series, labels }) => ({ ...series, ...labels })[name])),
    ],
  };
}

/** The part that is in no package: the variables of a link that refer to the row that was clicked. */
function replaceVariables(text, { __dataContext: { value } }) {
  const cell = (field) => field.values[value.rowIndex];
  return text
    .replaceAll('${__value.raw}', () => cell(value.field))
    .replaceAll(/\$\{__data\.fields\["(\w+)"\]\}/g, (_all, name) =>
      cell(value.frame.fields.find((it) => it.name === name)),
    );
}
