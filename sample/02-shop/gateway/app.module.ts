import { Module, type MiddlewareConsumer, type NestModule } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { ClientsModule } from '@nestjs/microservices';
import { TracingModule } from 'nestjs-tracing';
import { ordersGrpc } from '../proto/orders.js';
import { HealthController } from './health.controller.js';
import { ORDERS_CLIENT, OrdersController } from './orders.controller.js';
import { TenantMiddleware } from './tenant.middleware.js';
import { TraceIdMiddleware } from './trace-id.middleware.js';

@Module({
  imports: [
    TracingModule.forRootAsync({
      inject: [ConfigService],
      useFactory: (config: ConfigService) => ({
        serviceName: config.get('SERVICE_NAME', 'gateway'),
        http: { ignore: ['/health'] },
        metrics: { path: '/metrics' },
      }),
    }),
    ConfigModule.forRoot({ isGlobal: true }),
    ClientsModule.registerAsync([
      {
        name: ORDERS_CLIENT,
        inject: [ConfigService],
        useFactory: (config: ConfigService) => ordersGrpc(config.get('ORDERS_URL', '127.0.0.1:50051')),
      },
    ]),
  ],
  controllers: [OrdersController, HealthController],
})
export class AppModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(TraceIdMiddleware, TenantMiddleware).forRoutes(OrdersController);
  }
}
