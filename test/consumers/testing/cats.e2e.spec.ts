import 'reflect-metadata';
import { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TracingService } from 'nestjs-tracing';
import { TraceRecorder, TracingTestModule } from 'nestjs-tracing/testing';
import request from 'supertest';
import { AppModule } from './cats.module.js';

describe('GET /cats/:id', () => {
  let app: INestApplication;
  let traces: TraceRecorder;

  beforeAll(async () => {
    const module = await Test.createTestingModule({
      imports: [AppModule, TracingTestModule.record()],
    }).compile();
    app = module.createNestApplication();
    traces = app.get(TraceRecorder);
    await app.init();
  });

  beforeEach(() => {
    traces.reset();
  });

  afterAll(async () => {
    await app.close();
  });

  it('finds a cat', async () => {
    await request(app.getHttpServer()).get('/cats/7').expect(200);

    await traces.settled();
    expect(traces).toHaveTrace(`
      GET /cats/:id  SERVER
        CatsController.one
          CatsService.find
            load
    `);
  });

  it('says that there is no such cat', async () => {
    await request(app.getHttpServer()).get('/cats/8').expect(404);

    await traces.settled();
    expect(traces).toHaveTrace(
      `
      GET /cats/:id  SERVER  http.response.status_code=404
        ✗ CatsController.one
          ✗ CatsService.find  NotFoundException: no such cat
            load
      `,
      { attributes: ['http.response.status_code'] },
    );
  });

  it('finds it by its id', async () => {
    await request(app.getHttpServer()).get('/cats/7').expect(200);

    await traces.settled();
    expect(traces).toHaveTrace({
      name: 'GET /cats/:id',
      kind: 'SERVER',
      attributes: { 'http.response.status_code': 200 },
      children: [
        {
          name: 'CatsController.one',
          children: [{ name: 'CatsService.find', attributes: { 'cat.id': expect.any(String) } }],
        },
      ],
    });
    expect(traces).toHaveNoOpenSpans();
    expect(traces.get({ name: /^load/ }).status).toBe('UNSET');
  });

  it('waits for spans that come later', async () => {
    const tracing = app.get(TracingService);
    setTimeout(() => tracing.span('feed', () => {}), 20);

    const feed = await traces.waitForSpan('feed');
    expect(feed.duration).toBeGreaterThanOrEqual(0);
  });

  it('shows what differs', async () => {
    await request(app.getHttpServer()).get('/cats/7');
    await traces.settled();
    expect(() => expect(traces).toHaveTrace('GET /cats/:id  SERVER\n  CatsController.all')).toThrow(
      '+   CatsController.one',
    );
    expect(() => expect(traces).not.toHaveNoOpenSpans()).toThrow();
  });
});

describe('several cats', () => {
  it('have the same trace in each run', async () => {
    const recorder = new TraceRecorder({ ids: 'sequential', time: new Date('2026-01-01T00:00:00Z') });
    const module = await Test.createTestingModule({
      imports: [AppModule, TracingTestModule.record(recorder)],
    }).compile();
    const app = module.createNestApplication();
    await app.listen(0, '127.0.0.1');

    await fetch(`${await app.getUrl()}/cats/7`);
    await recorder.settled();
    const { duration, parentSpanId, spanId, startTime, traceId } = recorder.get('CatsController.one');
    expect({ duration, parentSpanId, spanId, startTime, traceId }).toEqual({
      traceId: '00000000000000010000000000000002',
      parentSpanId: '0000000000000003',
      spanId: '0000000000000004',
      startTime: new Date('2026-01-01T00:00:00Z'),
      duration: 0,
    });
    await app.close();
  });
});
