import { Module } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { ScheduleModule } from '@nestjs/schedule';
import { TracingModule } from 'nestjs-tracing';
import { DigestJob } from './digest.job.js';
import { NotificationsController } from './notifications.controller.js';

@Module({
  imports: [
    TracingModule.forRootAsync({
      inject: [ConfigService],
      useFactory: (config: ConfigService) => ({
        serviceName: config.get('SERVICE_NAME', 'notifications'),
        // The handling of an event is part of the trace of its order. By default, it has a trace of its own, with a link.
        messaging: { events: 'parent' as const },
      }),
    }),
    ConfigModule.forRoot({ isGlobal: true }),
    ScheduleModule.forRoot(),
  ],
  controllers: [NotificationsController],
  providers: [DigestJob],
})
export class AppModule {}
