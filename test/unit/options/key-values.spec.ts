import { describe, expect, it } from '@jest/globals';
import { malformedEntryError, parseKeyValue, parseKeyValues } from '../../../lib/options/key-values.js';
import { TracingConfigurationError } from '../../../lib/tracing.errors.js';

const setting = (value: unknown, name = 'OTEL_RESOURCE_ATTRIBUTES') => ({ name, value });

describe('a variable of key=value pairs', () => {
  it('has keys and values without the blanks around them, percent-decoded', () => {
    expect([...parseKeyValues(setting(' team = green , region=eu%20west,a=b=c'))]).toEqual([
      ['team', 'green'],
      ['region', 'eu west'],
      ['a', 'b=c'],
    ]);
  });

  it.each(['team', '=green', ' =green', 'team=50%', '%=green'])('is refused with an entry %j', (entry) => {
    expect(() => parseKeyValue(setting(entry))).toThrow(TracingConfigurationError);
  });
});

describe('the error for a malformed entry', () => {
  it.each([
    ['shows the entry', 'OTEL_RESOURCE_ATTRIBUTES', 'discount=50%', 'discount=50%'],
    ['shows no header, whatever its name', 'OTEL_EXPORTER_OTLP_HEADERS', 'discount=50%', 'REDACTED'],
    ['shows no value of a key that names a secret', 'OTEL_RESOURCE_ATTRIBUTES', 'api_key=50%', 'REDACTED'],
  ])('%s: %s', (_promise, name, entry, shown) => {
    const { message, value } = malformedEntryError(setting(entry, name));
    expect(value).toBe(shown);
    expect(message).toContain(`"${shown}"`);
    expect(message).toContain('Write key=value pairs with commas between them');
  });
});
