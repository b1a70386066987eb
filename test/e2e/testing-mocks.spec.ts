import { describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Test, type MockFactory } from '@nestjs/testing';
import { Span, TracingModule } from 'nestjs-tracing';
import { TraceRecorder, TracingTestModule } from 'nestjs-tracing/testing';

@Injectable()
class MenuService {
  today(): string {
    return 'soup';
  }
}

@Injectable()
class KitchenService {
  constructor(private readonly menu: MenuService) {}

  @Span()
  cook(): string {
    return this.menu.today();
  }
}

/** A mocker that mocks everything, and remembers what it was asked for. The library that generates a mock may return a function. */
function createMocker(mock: object): { asked: unknown[]; mocker: MockFactory } {
  const asked: unknown[] = [];
  return { asked, mocker: (token) => (asked.push(token), mock) };
}

describe('a testing module that mocks whatever no module provides', () => {
  it.each([
    ['an object', { today: () => 'mocked' }],
    ['a function', Object.assign(() => undefined, { today: () => 'mocked' })],
  ])('is asked for the dependencies of the application alone: the mock is %s', async (_, mock) => {
    const { asked, mocker } = createMocker(mock);
    const testing = await Test.createTestingModule({
      imports: [TracingModule.forRoot({ exporter: 'none' })],
      providers: [KitchenService],
    })
      .useMocker(mocker)
      .compile();
    expect(testing.get(KitchenService).cook()).toBe('mocked');
    expect(asked).toEqual([MenuService]);
    await testing.close();
  });

  it('is recorded', async () => {
    const { asked, mocker } = createMocker({ today: () => 'mocked' });
    const testing = await Test.createTestingModule({
      imports: [TracingModule.forRoot(), TracingTestModule.record()],
      providers: [KitchenService],
    })
      .useMocker(mocker)
      .compile();
    testing.get(KitchenService).cook();
    expect(testing.get(TraceRecorder).trees()).toEqual(['KitchenService.cook']);
    expect(asked).toEqual([MenuService]);
    await testing.close();
  });

  it('refuses a module that is not configured, as an application does', async () => {
    const { mocker } = createMocker({});
    const testing = Test.createTestingModule({ imports: [TracingModule] }).useMocker(mocker);
    await expect(testing.compile()).rejects.toThrow('Import TracingModule.forRoot() or forRootAsync()');
  });
});
