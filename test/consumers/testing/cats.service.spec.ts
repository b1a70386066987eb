import 'reflect-metadata';
import { Test, TestingModule } from '@nestjs/testing';
import { TracingModule } from 'nestjs-tracing';
import { TraceRecorder, TracingTestModule } from 'nestjs-tracing/testing';
import { CatsService } from './cats.module.js';

describe('CatsService', () => {
  let service: CatsService;

  beforeEach(async () => {
    const module: TestingModule = await Test.createTestingModule({
      imports: [TracingTestModule],
      providers: [CatsService],
    }).compile();

    service = module.get<CatsService>(CatsService);
  });

  it('should be defined', () => {
    expect(service).toBeDefined();
  });

  it('works without spans', async () => {
    expect(await service.find('7')).toBe('Tom');
  });
});

describe('the spans of CatsService', () => {
  it('name the cat', async () => {
    const module = await Test.createTestingModule({
      imports: [TracingModule.forRoot(), TracingTestModule.record()],
      providers: [CatsService],
    }).compile();
    const traces = module.get(TraceRecorder);

    await module.get(CatsService).find('7');

    expect(traces.get('CatsService.find').attributes).toEqual({
      'cat.id': '7',
      'code.function.name': 'CatsService.find',
    });
    await module.close();
  });
});
