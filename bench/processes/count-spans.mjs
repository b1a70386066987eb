/** The numbers of the protobuf fields that lead to the spans of an OTLP export, and of those that describe a span. */
const RESOURCE_SPANS = 1;
const SCOPE_SPANS = 2;
const SPANS = 2;
const SPAN = { name: 5, kind: 6, attributes: 9 };
const KEY = 1;

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

const kinds = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'];

/** Counts the spans of an `ExportTraceServiceRequest`. It skips from field to field by their lengths, and decodes nothing else. */
export function countSpans(body) {
  let count = 0;
  eachSpan(body, () => count++);
  return count;
}

/** Describes each span as a text: kind, name, and the keys of its attributes. */
export function describeSpans(body) {
  const spans = [];
  eachSpan(body, (from, to) => spans.push(describe(body, from, to)));
  return spans;
}

function eachSpan(body, visit) {
  eachField(body, 0, body.length, (field, from, to) => {
    if (field !== RESOURCE_SPANS) return;
    eachField(body, from, to, (field, from, to) => {
      if (field !== SCOPE_SPANS) return;
      eachField(body, from, to, (field, from, to) => {
        if (field === SPANS) visit(from, to);
      });
    });
  });
}

const byText = (a, b) => (a < b ? -1 : Number(a > b));

function describe(body, start, end) {
  let name = '';
  let kind = 0;
  const keys = [];
  eachField(body, start, end, (field, from, to) => {
    if (field === SPAN.name) name = body.toString('utf8', from, to);
    else if (field === SPAN.kind) kind = body[from];
    else if (field === SPAN.attributes) {
      eachField(body, from, to, (field, from, to) => {
        if (field === KEY) keys.push(body.toString('utf8', from, to));
      });
    }
  });
  return `${kinds[kind] ?? kind} ${name}: ${keys.toSorted(byText).join(', ')}`;
}

function eachField(body, start, end, visit) {
  let at = start;
  while (at < end) {
    const tag = varint();
    const type = tag & 7;
    let from = at;
    if (type === VARINT) varint();
    else if (type === FIXED64) at += 8;
    else if (type === FIXED32) at += 4;
    else if (type === BYTES) {
      const length = varint();
      from = at;
      at += length;
    } else throw new Error(`No field of protobuf has the wire type ${type}.`);
    visit(tag >>> 3, from, at);
  }

  // Numbers longer than 32 bits come out wrong. They are only skipped, so it does not matter.
  function varint() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = body[at++];
      value |= (byte & 127) << shift;
      if (byte < 128) return value >>> 0;
    }
  }
}
