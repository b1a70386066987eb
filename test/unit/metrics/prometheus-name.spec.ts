import { describe, expect, it } from '@jest/globals';
import { prometheusLabel, prometheusName } from '../../../lib/metrics/prometheus-name.js';

describe('a metric', () => {
  it.each([
    ['http.server.request.duration', 's', 'histogram', 'http_server_request_duration_seconds'],
    ['payment.duration.seconds', 's', 'histogram', 'payment_duration_seconds'],
    ['http.server.active_requests', '{request}', 'gauge', 'http_server_active_requests'],
    ['otel.sdk.exporter.span.exported', '{span}', 'counter', 'otel_sdk_exporter_span_exported_total'],
    ['orders_total', '{call}', 'counter', 'orders_total'],
    ['sent', 'By', 'counter', 'sent_bytes_total'],
    ['tries', '1', 'counter', 'tries_total'],
    ['load', '1', 'gauge', 'load_ratio'],
    ['a/b-c..d', '', 'gauge', 'a_b_c_d'],
  ] as const)('%s in %s, a %s, is %s', (name, unit, type, expected) => {
    expect(prometheusName(name, unit, type)).toBe(expected);
  });
});

describe('a label', () => {
  it.each([
    ['http.request.method', 'http_request_method'],
    ['1st', '_1st'],
    ['überall', '_berall'],
  ])('%s is %s', (attribute, expected) => {
    expect(prometheusLabel(attribute)).toBe(expected);
  });
});
