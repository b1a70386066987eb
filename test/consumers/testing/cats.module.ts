/** The application that docs/testing.md tests. */
import { Controller, Get, Injectable, Module, NotFoundException, Param } from '@nestjs/common';
import { Span, SpanAttribute, TracingModule, TracingService } from 'nestjs-tracing';

@Injectable()
export class CatsService {
  private readonly cats = new Map([['7', 'Tom']]);

  constructor(private readonly tracing: TracingService) {}

  @Span()
  async find(@SpanAttribute('cat.id') id: string): Promise<string> {
    const name = await this.tracing.span('load', async () => this.cats.get(id));
    if (name === undefined) throw new NotFoundException('no such cat');
    return name;
  }
}

@Controller('cats')
export class CatsController {
  constructor(private readonly cats: CatsService) {}

  @Get(':id')
  one(@Param('id') id: string): Promise<string> {
    return this.cats.find(id);
  }
}

@Module({ controllers: [CatsController], providers: [CatsService] })
export class CatsModule {}

@Module({
  imports: [
    TracingModule.forRootAsync({
      useFactory: async () => ({ serviceName: 'cats', exporter: { type: 'otlp', endpoint: process.env.TRACES_URL } }),
    }),
    CatsModule,
  ],
})
export class AppModule {}
