/** Runs the module of an example, whose code is the first argument, and asks it once for the path in the second argument. */
import 'reflect-metadata';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { NestFactory } from '@nestjs/core';

const [code = '', path = '/'] = process.argv.slice(2);
const file = join(import.meta.dirname, 'example.module.js');
writeFileSync(file, code);
const { AppModule } = (await import(pathToFileURL(file).href)) as { AppModule: object };

const app = await NestFactory.create(AppModule, { logger: ['warn', 'error'] });
await app.listen(0, '127.0.0.1');
// A socket without HTTP of Node: the request has no span of its own, as that of curl has none.
const socket = connect((app.getHttpServer().address() as AddressInfo).port, '127.0.0.1');
socket.end(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
socket.resume();
await once(socket, 'close');
await app.close();
