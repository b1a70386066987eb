import { untraced } from './http-app.js';
import { waitFor } from './wait-for.js';

/** One line of a scrape. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly exemplar?: { readonly labels: Readonly<Record<string, string>>; readonly value: number } | undefined;
}

const OPENMETRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
const LABELS = String.raw`\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*)\}`;
const NUMBER = String.raw`([-+]?(?:\d+(?:\.\d+)?(?:e[-+]?\d+)?|Inf)|NaN)`;
const SAMPLE = new RegExp(
  `^([a-zA-Z_:][\\w:]*)(?:${LABELS})? ${NUMBER}(?: # ${LABELS} ${NUMBER}(?: \\d+(?:\\.\\d+)?)?)?$`,
);

/** The answer of a metrics endpoint, parsed line by line. Throws at a line that breaks the format. */
export class Scrape {
  readonly samples: readonly Sample[];
  readonly types: ReadonlyMap<string, string>;

  private constructor(
    readonly contentType: string,
    readonly text: string,
  ) {
    const lines = text.split('\n');
    if (lines.pop() !== '') throw new Error('The last line does not end.');
    if (contentType === OPENMETRICS && lines.pop() !== '# EOF') throw new Error('It does not end in # EOF.');
    this.types = new Map(
      lines.filter((line) => line.startsWith('# TYPE ')).map((line) => line.split(' ').slice(2) as [string, string]),
    );
    this.samples = lines.filter((line) => !/^# (HELP|TYPE) /.test(line)).map(parse);
  }

  static async of(url: string, accept: string | undefined = OPENMETRICS): Promise<Scrape> {
    const response = await fetch(url, { headers: accept === undefined ? {} : { accept } });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${url} answers ${response.status}: ${text}`);
    return new Scrape(response.headers.get('content-type') ?? '', text);
  }

  /** Scrapes until a histogram has exactly this many measurements: a client has its answer before the server measures. */
  static counted(url: string, histogram: string, count: number): Promise<Scrape> {
    const measurements = (scrape: Scrape) => scrape.find(`${histogram}_count`);
    return waitFor({
      expected: `${count} measurements in ${histogram}`,
      look: () => untraced(() => Scrape.of(url)),
      isExpected: (scrape) => measurements(scrape).reduce((total, { value }) => total + value, 0) === count,
      describe: (scrape) => JSON.stringify(measurements(scrape)),
    });
  }

  /** The samples with this name whose labels have these values. A label whose value is undefined must be absent. */
  find(name: string, labels: Readonly<Record<string, string | undefined>> = {}): readonly Sample[] {
    return this.samples.filter(
      (sample) =>
        sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
    );
  }

  /** The value of the only sample with this name and these labels. Undefined if there is none. */
  value(name: string, labels: Readonly<Record<string, string | undefined>> = {}): number | undefined {
    const found = this.find(name, labels);
    if (found.length > 1) throw new Error(`${found.length} samples are ${name} ${JSON.stringify(labels)}`);
    return found[0]?.value;
  }

  /** The label sets of this name. */
  labels(name: string): Sample['labels'][] {
    return this.find(name).map(({ labels }) => labels);
  }

  /** The samples with an exemplar, which names a trace. */
  exemplars(name: string, labels: Readonly<Record<string, string | undefined>> = {}): readonly Required<Sample>[] {
    return this.find(name, labels).filter((sample): sample is Required<Sample> => sample.exemplar !== undefined);
  }
}

function parse(line: string): Sample {
  const [, name, labels, value, exemplarLabels, exemplarValue] = SAMPLE.exec(line) ?? [];
  if (name === undefined) throw new Error(`This is no sample: ${line}`);
  return {
    name,
    labels: labelsOf(labels),
    value: numberOf(value),
    ...(exemplarLabels !== undefined && {
      exemplar: { labels: labelsOf(exemplarLabels), value: numberOf(exemplarValue) },
    }),
  };
}

function labelsOf(text = ''): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const [, name = '', value = ''] of text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
    labels[name] = value.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
  }
  return labels;
}

function numberOf(text = ''): number {
  return text.endsWith('Inf') ? (text.startsWith('-') ? -Infinity : Infinity) : Number(text);
}
