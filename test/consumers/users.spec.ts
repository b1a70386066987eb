/** The test of an application, in Jest, which has a module system of its own. */
import 'reflect-metadata';
import { Controller, Get, Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Span, TracingModule, TracingService } from 'nestjs-tracing';

@Injectable()
class UsersService {
  @Span()
  async find(): Promise<string> {
    return 'Ada';
  }
}

@Controller('users')
class UsersController {
  constructor(private readonly users: UsersService) {}

  @Get()
  one(): Promise<string> {
    return this.users.find();
  }
}

@Module({
  imports: [TracingModule.forRoot({ serviceName: 'users', exporter: 'memory', metrics: { path: '/metrics' } })],
  controllers: [UsersController],
  providers: [UsersService],
})
class AppModule {}

it('is traced', async () => {
  const testing = await Test.createTestingModule({ imports: [AppModule] }).compile();
  const app = testing.createNestApplication({ logger: ['warn', 'error'] });
  await app.listen(0, '127.0.0.1');
  try {
    expect(await (await fetch(`${await app.getUrl()}/users`)).text()).toBe('Ada');
    const metrics = await (await fetch(`${await app.getUrl()}/metrics`)).text();
    expect(metrics).toMatch(/http_server_request_duration_seconds_count\{.*http_route="\/users".*\} 1/);
    const names = app
      .get(TracingService)
      .finishedSpans()
      .map((span) => span.name);
    expect(names).toEqual(expect.arrayContaining(['UsersService.find', 'UsersController.one', 'GET /users']));
  } finally {
    await app.close();
  }
});
