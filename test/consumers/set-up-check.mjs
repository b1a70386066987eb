/** Runs an application that `nest add nestjs-tracing` has set up: its spans and that of the doctor have to arrive. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { buffer, text } from 'node:stream/consumers';
import process from 'node:process';

const bodies = [];
const receiver = createServer(async (request, response) => {
  bodies.push((await buffer(request)).toString('latin1'));
  response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
});
receiver.listen(0, '127.0.0.1');
await once(receiver, 'listening');

const env = {
  PATH: process.env.PATH,
  OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${receiver.address().port}`,
  // Nest writes the port that it has been given.
  PORT: String(20_000 + Math.floor(Math.random() * 10_000)),
};

const application = spawn(process.execPath, ['dist/main.js'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
const output = application.stdout.setEncoding('utf8');
for await (const line of output.iterator({ destroyOnReturn: false })) {
  if (line.includes('successfully started')) break;
}
output.resume();
const response = await fetch(`http://127.0.0.1:${env.PORT}/`);
assert.equal(await response.text(), 'Hello World!');
application.kill('SIGTERM');
await once(application, 'exit');
assert(
  bodies.some((body) => body.includes('AppController.getHello')),
  'the signal has lost the last spans',
);

const cli = '../node_modules/nestjs-tracing/dist/cli.cjs';
const doctor = spawn(process.execPath, [cli, 'doctor'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
const report = await text(doctor.stdout);
if (doctor.exitCode === null) await once(doctor, 'exit');
assert.equal(doctor.exitCode, 0, report);
assert.match(report, /0 errors, 0 warnings/);
assert(bodies.at(-1).includes('nestjs-tracing doctor'));
receiver.close();
receiver.closeAllConnections();
