/** An application with a wrong configuration, started as the documentation of Nest starts one. */
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TracingModule } from 'nestjs-tracing';

@Module({ imports: [TracingModule.forRoot({ sampler: { ratio: 50 } })] })
class AppModule {}

const app = await NestFactory.create(AppModule);
await app.listen(0);
process.stdout.write('listening\n');
