import { Module } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { TracingModule } from 'nestjs-tracing';
import { InventoryController } from './inventory.controller.js';
import { StockService } from './stock.service.js';

@Module({
  imports: [
    TracingModule.forRootAsync({
      inject: [ConfigService],
      useFactory: (config: ConfigService) => ({
        serviceName: config.get('SERVICE_NAME', 'inventory'),
        metrics: { port: config.get<number>('METRICS_PORT', 9465) },
      }),
    }),
    ConfigModule.forRoot({ isGlobal: true }),
  ],
  controllers: [InventoryController],
  providers: [StockService],
})
export class AppModule {}
