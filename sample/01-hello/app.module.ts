import { Module } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { TracingModule } from 'nestjs-tracing';
import { OrdersController } from './orders.controller.js';
import { OrdersService } from './orders.service.js';
import { PaymentsService } from './payments.service.js';

@Module({
  imports: [
    TracingModule.forRootAsync({
      inject: [ConfigService],
      useFactory: (config: ConfigService) => ({
        serviceName: config.get('SERVICE_NAME', 'hello'),
        // "console" prints each trace, and "memory" lets main.ts check that it is complete. Your own service omits this
        // option, and then sends its traces by OTLP to localhost:4318.
        exporter: ['console', 'memory'],
        sampler: { ratio: config.get('TRACE_RATIO', 1) },
        // Outgoing requests are not traced: the only ones are those that main.ts sends to this same process.
        http: { ignore: ['/health'], client: false },
      }),
    }),
    ConfigModule.forRoot({ isGlobal: true }),
  ],
  controllers: [OrdersController],
  providers: [OrdersService, PaymentsService],
})
export class AppModule {}
