/** Commands of nest-commander, in processes of their own: each is one trace, which has left before the process ends. */
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Apps, type Ended } from '../support/apps.js';
import { OtlpReceiver, type ReceivedSpan } from '../support/otlp-receiver.js';

const apps = new Apps();
let receiver: OtlpReceiver;

beforeEach(async () => {
  receiver = await OtlpReceiver.start();
});
afterEach(() => receiver.stop());
afterAll(() => apps.remove());

async function run(args: readonly string[], options: object = {}): Promise<Ended & { spans: ReceivedSpan[] }> {
  const exporter = { type: 'otlp', protocol: 'http/json', endpoint: `${receiver.url}/v1/traces` };
  const env = { APP_OPTIONS: JSON.stringify({ exporter, ...options }) };
  const ended = await apps.run('jobs-commands', { args, env });
  return { ...ended, spans: receiver.spans };
}

/** The names of the spans, each with the name of its parent. */
function tree(spans: readonly ReceivedSpan[]): string[] {
  const nameOf = (id: string | undefined) => spans.find(({ spanId }) => spanId === id)?.name;
  return spans.map(({ name, parentSpanId }) => `${name} < ${parentSpanId ? nameOf(parentSpanId) : 'none'}`).toSorted();
}

describe('a command', () => {
  it('is the root of a trace with everything that it does, and joins its own @Span()', async () => {
    const { code, spans, stderr, stdout } = await run(['deploy', 'secret-target']);
    expect([code, stdout, stderr]).toEqual([0, 'published', '']);
    expect(tree(spans)).toEqual(['Releases.publish < deploy', 'deploy < none']);
    const command = spans.find(({ name }) => name === 'deploy')!;
    expect(command.attributes).toEqual({ 'code.function.name': 'DeployCommand.run' });
    expect(JSON.stringify(spans)).not.toContain('secret');
  });

  it('has the exception that it fails with', async () => {
    const { code, spans, stderr } = await run(['deploy', 'moon']);
    expect([code, stderr]).toEqual([0, 'RangeError: too far']);
    const command = spans.find(({ name }) => name === 'deploy')!;
    expect(command.attributes['error.type']).toBe('RangeError');
    expect(command.events.map(({ name }) => name)).toEqual(['exception']);
  });

  it('that fails is exported before the error handler of the application ends the process', async () => {
    const { code, spans, stderr } = await run(['deploy', 'moon'], { serviceErrorHandler: 'exit' });
    expect([code, stderr]).toEqual([3, 'failed: too far\n']);
    expect(tree(spans)).toEqual(['Releases.publish < deploy', 'deploy < none']);
  });

  it('that fails ends the process in time if the backend does not answer', async () => {
    const silent = await OtlpReceiver.start('silence');
    const patience = 15_000;
    const exporter = { type: 'otlp', endpoint: `${silent.url}/v1/traces`, timeout: patience };
    const started = performance.now();
    const { code, stderr } = await run(['deploy', 'moon'], {
      exporter,
      serviceErrorHandler: 'exit',
      shutdown: { timeout: patience },
    });
    await silent.stop();
    expect([code, stderr]).toEqual([3, 'failed: too far\n']);
    expect(performance.now() - started).toBeLessThan(patience);
  });

  it('that is a subcommand has the name of its parent, and the command that it runs is part of it', async () => {
    const { spans } = await run(['user', 'add']);
    expect(tree(spans)).toEqual(['Releases.publish < deploy', 'deploy < user add', 'user add < none']);
  });

  it('that has no name has that of the program', async () => {
    const { spans, stdout } = await run([]);
    expect(tree(spans)).toEqual(['jobs-commands < none']);
    expect(stdout).toBe(spans[0]?.traceId);
  });

  it.each([{ jobs: { commands: false } }, { enabled: false }])('is not traced with %j', async (options) => {
    const { code, spans, stdout } = await run(['deploy'], options);
    expect([code, stdout]).toEqual([0, 'published']);
    expect(tree(spans).filter((line) => line.startsWith('deploy'))).toEqual([]);
  });
});
