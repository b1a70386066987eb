import 'reflect-metadata';
import {
  applyDecorators,
  Body,
  Controller,
  Get,
  Header,
  HttpCode,
  Param,
  Post,
  Redirect,
  Render,
  SetMetadata,
  Sse,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
  Version,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { EventPattern, GrpcMethod, GrpcStreamMethod, MessagePattern } from '@nestjs/microservices';
import { describe, expect, it } from '@jest/globals';
import { NoSpan, Span, SpanAttribute, Traceable } from 'nestjs-tracing';
import { recordSpans } from '../../support/recorded-spans.js';

const spans = recordSpans();

type AnyMethod = (...args: unknown[]) => unknown;

/** Like decorators of @nestjs/swagger: extends the metadata of an inner decorator, on the function. */
function ApiLike(extra: object): MethodDecorator {
  return (_target, _key, descriptor) => {
    const method = descriptor.value as object;
    const known = (Reflect.getMetadata('swagger/apiResponse', method) ?? {}) as object;
    Reflect.defineMetadata('swagger/apiResponse', { ...known, ...extra }, method);
  };
}

/** Like parameter decorators of @nestjs/swagger: sets metadata on the prototype, under the name of the method. */
function ApiParameterLike(name: string): MethodDecorator {
  return (target, key) => {
    Reflect.defineMetadata('swagger/apiParameters', [{ name }], target, key);
  };
}

/** Like @Interval() and @Cron() of @nestjs/schedule: sets several keys on the function. */
const IntervalLike = (timeout: number) =>
  applyDecorators(SetMetadata('SCHEDULER_NAME', 'name'), SetMetadata('SCHEDULE_INTERVAL_OPTIONS', { timeout }));

/** Like @OnEvent() of @nestjs/event-emitter: appends to a list. */
function OnEventLike(event: string): MethodDecorator {
  return (_target, _key, descriptor) => {
    const method = descriptor.value as object;
    const events = (Reflect.getMetadata('EVENT_LISTENER_METADATA', method) ?? []) as string[];
    Reflect.defineMetadata('EVENT_LISTENER_METADATA', [...events, event], method);
  };
}

/** Like resolver decorators of other libraries: sets properties of the function. */
function OwnPropertyLike(value: string): MethodDecorator {
  return (_target, _key, descriptor) => {
    Object.assign(descriptor.value as object, { __resolver: value });
    Object.defineProperty(descriptor.value as object, Symbol.for('hidden'), { value });
  };
}

class Guard {
  canActivate(): boolean {
    return true;
  }
}
class Pass {
  transform(value: unknown): unknown {
    return value;
  }
}
class Stub {
  intercept(): never {
    throw new Error('not called');
  }
  catch(): void {}
}

const decorators: [string, MethodDecorator][] = [
  ['@Get()', Get('orders/:id')],
  ['@Post()', Post(['a', 'b'])],
  ['@Sse()', Sse('events')],
  ['@HttpCode()', HttpCode(202)],
  ['@Header()', applyDecorators(Header('x-one', '1'), Header('x-two', '2'))],
  ['@Redirect()', Redirect('/elsewhere', 301)],
  ['@Render()', Render('view')],
  ['@Version()', Version('2')],
  ['@UseGuards()', UseGuards(Guard)],
  ['@UsePipes()', UsePipes(Pass)],
  ['@UseInterceptors()', UseInterceptors(Stub)],
  ['@UseFilters()', UseFilters(Stub)],
  ['@SetMetadata()', SetMetadata('roles', ['admin'])],
  ['a decorator like those of swagger', ApiLike({ 200: { description: 'fine' } })],
  ['a parameter decorator like those of swagger', ApiParameterLike('id')],
  ['@Interval() of schedule', IntervalLike(1000)],
  ['@OnEvent() of event-emitter', OnEventLike('order.placed')],
  ['a decorator that sets properties', OwnPropertyLike('resolver')],
  ['@MessagePattern()', MessagePattern({ cmd: 'sum' })],
  ['@EventPattern()', EventPattern('order.placed') as MethodDecorator],
  ['@GrpcMethod()', GrpcMethod('OrdersService', 'FindOne')],
  ['@GrpcMethod() by the name of the method', GrpcMethod()],
  ['@GrpcStreamMethod()', GrpcStreamMethod('OrdersService', 'Watch')],
];

const tracing: [string, MethodDecorator, ClassDecorator | undefined][] = [
  ['@Span()', Span() as MethodDecorator, undefined],
  ['@NoSpan()', NoSpan(), undefined],
  ['@Traceable()', () => {}, Traceable()],
];

/** Everything that other code can read about a method: from its function, and from its class by name. */
function visibleParts(Type: { prototype: object }): unknown {
  const descriptor = Object.getOwnPropertyDescriptor(Type.prototype, 'find')!;
  const method = descriptor.value as AnyMethod;
  const ours = (key: unknown) => !String(key).startsWith('nestjs-tracing:');
  const metadata = (keys: unknown[], get: (key: unknown) => unknown) =>
    Object.fromEntries(keys.filter(ours).map((key) => [String(key), get(key)]));
  return {
    name: method.name,
    length: method.length,
    enumerable: descriptor.enumerable,
    writable: descriptor.writable,
    configurable: descriptor.configurable,
    properties: Reflect.ownKeys(method).filter((key) => key !== 'prototype'),
    values: Object.fromEntries(Object.entries(method)),
    onFunction: metadata(Reflect.getMetadataKeys(method), (key) => Reflect.getMetadata(key, method)),
    onPrototype: metadata(Reflect.getMetadataKeys(Type.prototype, 'find'), (key) =>
      Reflect.getMetadata(key, Type.prototype, 'find'),
    ),
    onClass: metadata(Reflect.getMetadataKeys(Type, 'find'), (key) => Reflect.getMetadata(key, Type, 'find')),
  };
}

describe.each(tracing)('%s', (_, method, onClass = () => {}) => {
  function declare(order: MethodDecorator[], classDecorator: ClassDecorator): { prototype: object } {
    @classDecorator
    class Orders {
      @applyDecorators(...order)
      find(@Param('id', Pass) _id: string, @Body() _body: object, _third = 1): string {
        return '';
      }
    }
    return Orders;
  }

  it.each(decorators)('keeps the metadata of %s, above and below it', (_name, other) => {
    const plain = visibleParts(declare([other], () => {}));
    // The first decorator in the list is applied first: it is the lower one.
    expect(visibleParts(declare([other, method], onClass))).toEqual(plain);
    expect(visibleParts(declare([method, other], onClass))).toEqual(plain);
  });

  it('keeps the metadata of several decorators, in any order', () => {
    const others = decorators.map(([, decorator]) => decorator);
    const plain = visibleParts(declare(others, () => {}));
    for (let position = 0; position <= others.length; position++) {
      expect(visibleParts(declare(others.toSpliced(position, 0, method), onClass))).toEqual(plain);
    }
  });
});

describe('a traced method', () => {
  class Orders {
    constructor(private readonly tag = 'tag') {}

    @Span()
    find(first: string, _second?: number, ..._rest: unknown[]): unknown[] {
      // oxlint-disable-next-line prefer-rest-params -- the number of arguments is tested
      return [this?.tag, first, arguments.length];
    }

    @Span()
    self(): this {
      return this;
    }

    @SetMetadata('roles', ['admin'])
    @Span()
    withMetadata(): void {}

    @Span()
    static create(this: unknown): unknown {
      return this;
    }
  }

  it('gets its this and exactly its arguments', () => {
    const orders = new Orders();
    expect(orders.find('a')).toEqual(['tag', 'a', 1]);
    expect(orders.find('a', undefined)).toEqual(['tag', 'a', 2]);
    expect(orders.find('a', 1, 2, 3)).toEqual(['tag', 'a', 4]);
    expect(orders.self()).toBe(orders);
    expect(Orders.create()).toBe(Orders);
  });

  it('can be detached from its object, bound, called and applied', () => {
    const { find } = new Orders();
    expect(find('a')).toEqual([undefined, 'a', 1]);
    const bound = new Orders('bound');
    expect(find.bind(bound)('a')).toEqual(['bound', 'a', 1]);
    expect(find.call(bound, 'a')).toEqual(['bound', 'a', 1]);
    expect(Reflect.apply(find, bound, ['a', 2])).toEqual(['bound', 'a', 2]);
    expect(spans.names()).toEqual(Array.from({ length: 4 }, () => 'Orders.find'));
  });

  it('can be replaced and spied on', () => {
    const orders = new Orders();
    orders.find = () => ['replaced'];
    expect(orders.find('a')).toEqual(['replaced']);
    expect(spans.names()).toEqual([]);
  });

  it('works with the Reflector of Nest', () => {
    const reflector = new Reflector();
    expect(reflector.get('roles', Orders.prototype.withMetadata)).toEqual(['admin']);
    expect(reflector.getAllAndOverride('roles', [Orders.prototype.withMetadata, Orders])).toEqual(['admin']);
  });
});

describe('parameter decorators', () => {
  it('keep the metadata of Nest for the same parameters', () => {
    @Controller()
    class Plain {
      find(@Param('id', Pass) _id: string, @Body() _body: object): void {}
    }
    @Controller()
    class Traced {
      @Span()
      find(@SpanAttribute('id') @Param('id', Pass) _id: string, @Body() @SpanAttribute('body') _body: object): void {}
    }
    const routeArguments = (Type: object) => Reflect.getMetadata('__routeArguments__', Type, 'find') as object;
    expect(routeArguments(Plain)).toBeDefined();
    expect(routeArguments(Traced)).toEqual(routeArguments(Plain));
  });
});
