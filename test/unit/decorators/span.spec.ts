import {
  context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Link,
  type Span as OtelSpan,
} from '@opentelemetry/api';
import { describe, expect, it } from '@jest/globals';
import { AlwaysOffSampler, TracerProvider } from '@opentelemetry/sdk-trace';
import { CurrentSpan, NoSpan, Span, SpanAttribute, Traceable } from 'nestjs-tracing';
import { from, lastValueFrom, of, throwError, type Observable } from 'rxjs';
import { parameterAttributes } from '../../../lib/core/parameter-attributes.js';
import { registerProvider } from '../../../lib/sdk/globals.js';
import { unhandledRejections } from '../../support/unhandled-rejections.js';
import { exceptionsOf, recordSpans } from '../../support/recorded-spans.js';

const spans = recordSpans();

function spanName(): string {
  return (trace.getActiveSpan() as { name?: string } | undefined)?.name ?? 'no span';
}

/** All data of the spans that an exporter gets. */
function everythingSeen(): string {
  return JSON.stringify(
    spans.all().map(({ name, attributes, events, links, status }) => [name, attributes, events, links, status]),
  );
}

const linked: Link = {
  context: { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 },
  attributes: { reason: 'because' },
};

describe('the span of a method', () => {
  class Orders {
    @Span()
    plain(): string {
      return spanName();
    }

    @Span('charge card')
    named(): void {}

    @Span({ name: 'by options', kind: SpanKind.CLIENT, attributes: { fixed: true } })
    byOptions(): void {}

    @Span('by both', { kind: SpanKind.PRODUCER })
    byBoth(): void {}

    @Span()
    static create(): string {
      return spanName();
    }

    @Span()
    [Symbol.toPrimitive](): string {
      return spanName();
    }

    @Span()
    'name with spaces'(): void {}

    @Span({ links: [linked] })
    linked(): void {}

    @Span({ links: (link: Link) => [link] })
    linkedByArgument(_link: Link): void {}

    @Span({ root: true, kind: SpanKind.CONSUMER })
    root(): void {}

    @Span()
    caller(): void {
      this.root();
      this.plain();
    }
  }
  const orders = new Orders();

  it('has the name of class and method, and the kind INTERNAL', () => {
    expect(orders.plain()).toBe('Orders.plain');
    const span = spans.one('Orders.plain');
    expect(span.kind).toBe(SpanKind.INTERNAL);
    expect(span.attributes).toEqual({ 'code.function.name': 'Orders.plain' });
    expect(span.instrumentationScope).toEqual({
      name: 'nestjs-tracing',
      version: expect.any(String),
      schemaUrl: undefined,
    });
  });

  it('takes a name, options, or both', () => {
    orders.named();
    orders.byOptions();
    orders.byBoth();
    expect(spans.all().map(({ name, kind, attributes }) => [name, kind, attributes])).toEqual([
      ['charge card', SpanKind.INTERNAL, { 'code.function.name': 'Orders.named' }],
      ['by options', SpanKind.CLIENT, { 'code.function.name': 'Orders.byOptions', fixed: true }],
      ['by both', SpanKind.PRODUCER, { 'code.function.name': 'Orders.byBoth' }],
    ]);
  });

  it('exists for static methods, and for methods with a symbol or an unusual text as name', () => {
    expect(Orders.create()).toBe('Orders.create');
    expect(orders[Symbol.toPrimitive]()).toBe('Orders[Symbol.toPrimitive]');
    orders['name with spaces']();
    expect(spans.names()).toEqual(['Orders.create', 'Orders[Symbol.toPrimitive]', 'Orders.name with spaces']);
  });

  it('is the child of the active span, or starts a new trace', () => {
    orders.caller();
    expect(spans.path(spans.one('Orders.plain'))).toBe('Orders.plain < Orders.caller');
    expect(spans.one('Orders.root').parentSpanContext).toBeUndefined();
    expect(spans.one('Orders.root').spanContext().traceId).not.toBe(spans.one('Orders.caller').spanContext().traceId);
  });

  it('links to other spans', () => {
    orders.linked();
    orders.linkedByArgument(linked);
    for (const { links } of spans.all()) expect(links).toEqual([linked]);
    expect(spans.all()).toHaveLength(2);
  });
});

describe('attributes', () => {
  class Users {
    @Span((id: string, limit?: number) => ({ 'user.id': id, limit }))
    find(_id: string, _limit?: number): void {}

    @Span({ attributes: (id: string) => (id === '' ? undefined : { 'user.id': id }) })
    maybe(_id: string): void {}

    @Span()
    @NoSpan()
    silent(): void {}

    @Span()
    parameters(
      @SpanAttribute('id') _id: unknown,
      @SpanAttribute('total', (order: { total: number }) => order.total) _order: { total: number } = { total: 0 },
    ): void {}

    @Span({ onResult: (result: string) => ({ length: result.length }) })
    async result(): Promise<string> {
      return 'four';
    }

    @Span({ onResult: (result: number) => ({ last: result }) })
    stream(): Observable<number> {
      return of(1, 2, 3);
    }

    @Span((id?: string) => ({ id }))
    @SetsDefault('default')
    changed(_id?: string): void {}
  }
  const users = new Users();

  function SetsDefault(value: string): MethodDecorator {
    return (_target, _key, descriptor) => {
      const method = descriptor.value as unknown as (argument?: string) => unknown;
      descriptor.value = function (this: unknown, argument?: string) {
        return Reflect.apply(method, this, [argument ?? value]);
      } as never;
    };
  }

  it('come from the arguments', () => {
    users.find('42');
    users.find('43', 10);
    users.maybe('');
    expect(spans.all().map(({ attributes }) => attributes)).toEqual([
      { 'code.function.name': 'Users.find', 'user.id': '42' },
      { 'code.function.name': 'Users.find', 'user.id': '43', limit: 10 },
      { 'code.function.name': 'Users.maybe' },
    ]);
  });

  it('come from the result', async () => {
    await users.result();
    await lastValueFrom(users.stream());
    expect(spans.one('Users.result').attributes).toMatchObject({ length: 4 });
    expect(spans.one('Users.stream').attributes).toMatchObject({ last: 3 });
  });

  it.each([
    ['text', 'text'],
    [42, 42],
    [false, false],
    [12n, '12'],
    [new Date(0), '1970-01-01T00:00:00.000Z'],
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
    [
      [1, null, 2],
      [1, null, 2],
    ],
    [[], []],
  ])('come from a parameter: %p', (argument, expected) => {
    users.parameters(argument, { total: 9 });
    expect(spans.one('Users.parameters').attributes).toEqual({
      'code.function.name': 'Users.parameters',
      id: expected,
      total: 9,
    });
    expect(spans.diagnostics).toEqual([]);
  });

  it('keep the values of a list, even if the application changes the list later', () => {
    const list = ['a'];
    const { id } = parameterAttributes('list', [{ index: 0, name: 'id', pick: undefined }], [list]);
    list.push('b');
    expect(id).toEqual(['a']);
  });

  it.each([[undefined], [null]])('are omitted if the argument is %p', (argument) => {
    users.parameters(argument, { total: 1 });
    expect(spans.one('Users.parameters').attributes).not.toHaveProperty('id');
    expect(spans.diagnostics).toEqual([]);
  });

  it('are not made from objects, with one warning', () => {
    users.parameters({ password: 'hunter2' }, { total: 1 });
    users.parameters(['a', 1], { total: 1 });
    users.parameters([{}], { total: 1 });
    expect(everythingSeen()).not.toMatch(/hunter2|"id"/);
    expect(spans.diagnostics).toEqual([
      expect.stringMatching(/^@SpanAttribute\('id'\) of Users\.parameters got an object/),
    ]);
  });

  it('come from the arguments before inner decorators change them', () => {
    users.changed();
    expect(spans.one('Users.changed').attributes).toEqual({ 'code.function.name': 'Users.changed' });
  });

  it('are not computed if the span is not recording', () => {
    let calls = 0;
    class Counted {
      @Span({ attributes: () => ({ calls: ++calls }), onResult: () => ({ calls: ++calls }) })
      work(@SpanAttribute('id', () => ++calls) _id: string): void {}
    }
    registerProvider(new TracerProvider({ sampler: new AlwaysOffSampler() }));
    new Counted().work('1');
    expect(calls).toBe(0);
  });
});

describe('functions of the application that throw', () => {
  function broken(): never {
    throw new Error('of the user');
  }

  class Broken {
    @Span(broken)
    attributes(): string {
      return 'result';
    }
    @Span({ onResult: broken })
    onResult(): string {
      return 'result';
    }
    @Span({ links: broken })
    links(): string {
      return 'result';
    }
    @Span({ links: () => [undefined, {}, { context: {} }, linked] as Link[] })
    invalidLinks(): string {
      return 'result';
    }
    @Span({ links: () => 'no list' as never })
    noLinks(): string {
      return 'result';
    }
    @Span()
    pick(@SpanAttribute('id', broken) _id?: string, @SpanAttribute('other') _other?: string): string {
      return 'result';
    }
    @Span({ attributes: (async () => broken()) as never, onResult: (async () => broken()) as never })
    async(): string {
      return 'result';
    }
  }

  it.each([
    ['attributes', ['attributes']],
    ['onResult', ['onResult']],
    ['links', ['links']],
    ['invalidLinks', ['links']],
    ['noLinks', ['links']],
    ['async', ['attributes', 'onResult']],
  ] as const)('do not reach the caller, and are reported once: %s', async (name, functions) => {
    const brokenOne = new Broken();
    expect([brokenOne[name](), brokenOne[name]()]).toEqual(['result', 'result']);
    await new Promise((resolve) => setImmediate(resolve));
    expect(spans.names()).toEqual([`Broken.${name}`, `Broken.${name}`]);
    expect(spans.all().map(({ status }) => status.code)).toEqual([SpanStatusCode.UNSET, SpanStatusCode.UNSET]);
    expect(spans.diagnostics.map((message) => message.replace(/ threw and was ignored: .*/, ''))).toEqual(
      functions.map((it) => `The ${it} function of Broken.${name}`),
    );
  });

  it('do not affect the attributes of other parameters', () => {
    expect(new Broken().pick('1', '2')).toBe('result');
    expect(spans.one('Broken.pick').attributes).toEqual({ 'code.function.name': 'Broken.pick', other: '2' });
    expect(spans.diagnostics).toEqual([
      "@SpanAttribute('id') of Broken.pick threw and was ignored: Error: of the user",
    ]);
  });

  it('are named in the warning', () => {
    class Reported {
      @Span({ attributes: broken, links: broken })
      work(): void {}
    }
    new Reported().work();
    expect(spans.diagnostics).toEqual([
      'The links function of Reported.work threw and was ignored: Error: of the user',
      'The attributes function of Reported.work threw and was ignored: Error: of the user',
    ]);
  });
});

it('ignores an async links function, with a warning', async () => {
  class Linked {
    @Span({ links: () => Promise.resolve([]) as never })
    resolving(): string {
      return 'result';
    }

    @Span({ links: () => Promise.reject(new Error('no links')) as never })
    rejecting(): string {
      return 'result';
    }
  }
  const linked = new Linked();
  const results: string[] = [];
  expect(await unhandledRejections(() => results.push(linked.resolving(), linked.rejecting()))).toEqual([]);
  expect(results).toEqual(['result', 'result']);
  expect(spans.all().flatMap(({ links }) => links)).toEqual([]);
  expect(spans.diagnostics).toEqual([
    expect.stringMatching(/^The links function of Linked\.resolving is async and was ignored/),
    expect.stringMatching(/^The links function of Linked\.rejecting is async and was ignored/),
    'The links function of Linked.rejecting threw and was ignored: Error: no links',
  ]);
});

describe('record: false', () => {
  const SECRET = 'hunter2';

  class Vault {
    @Span({
      record: false,
      attributes: (secret: string) => ({ secret }),
      onResult: (result: unknown) => ({ secret: String(result) }),
      links: (secret: string) => [{ ...linked, attributes: { secret } }],
    })
    open(@SpanAttribute('secret') secret: string, outcome: (secret: string) => unknown): unknown {
      return outcome(secret);
    }

    @Span({ record: false, attributes: { 'vault.kind': 'steel' } })
    fixed(): void {}
  }

  @Traceable({ record: false })
  class VaultClass {
    open(@SpanAttribute('secret') secret: string, outcome: (secret: string) => unknown): unknown {
      return outcome(secret);
    }
  }

  class Caller {
    @Span()
    call(vault: { open: Vault['open'] }, outcome: (secret: string) => unknown): unknown {
      return vault.open(SECRET, outcome);
    }
  }

  const secretError = (secret: string) => Object.assign(new RangeError(`bad ${secret}`), { secret });
  const outcomes: [string, (secret: string) => unknown][] = [
    ['returns', (secret) => secret],
    [
      'throws',
      (secret) => {
        throw secretError(secret);
      },
    ],
    ['resolves', async (secret) => secret],
    ['rejects', (secret) => Promise.reject(secretError(secret))],
    ['emits', (secret) => from([secret])],
    ['errors', (secret) => throwError(() => secretError(secret))],
  ];

  describe.each([
    ['of a method', new Vault()],
    ['of a class', new VaultClass()],
  ])('%s', (_, vault) => {
    it.each(outcomes)('hides the contents of a call that %s, also on the outer span', async (_name, outcome) => {
      let failed = false;
      try {
        const result = await new Caller().call(vault, outcome);
        if (typeof result === 'object') await lastValueFrom(result as Observable<unknown>);
      } catch (thrown) {
        failed = true;
        expect(thrown).toMatchObject({ message: 'bad hunter2' });
      }
      expect(spans.names().filter((name) => name.endsWith('.open'))).toHaveLength(1);
      const span = spans.all().find(({ name }) => name.endsWith('.open'))!;
      expect(span.attributes['error.type']).toBe(failed ? 'RangeError' : undefined);
      expect(span.status.code).toBe(failed ? SpanStatusCode.ERROR : SpanStatusCode.UNSET);
      expect(exceptionsOf(span)).toEqual(failed ? [['RangeError', undefined]] : []);
      expect(everythingSeen()).not.toContain(SECRET);
    });
  });

  it('keeps data that is not from the call: fixed attributes, and links without attributes', () => {
    new Vault().fixed();
    new Vault().open(SECRET, () => undefined);
    expect(spans.one('Vault.fixed').attributes).toMatchObject({ 'vault.kind': 'steel' });
    expect(spans.one('Vault.open').links).toEqual([{ context: linked.context }]);
  });
});

describe('two decorators on one method', () => {
  @Traceable({ kind: SpanKind.CLIENT })
  class Both {
    @Span('own name')
    own(): void {}
    inherited(): void {}
    @Span('outer')
    @Span('inner')
    double(): void {}
  }

  it('make one span: that of the method decorator, or of the inner one', () => {
    const both = new Both();
    both.own();
    both.inherited();
    both.double();
    expect(spans.all().map(({ name, kind }) => [name, kind])).toEqual([
      ['own name', SpanKind.INTERNAL],
      ['Both.inherited', SpanKind.CLIENT],
      ['inner', SpanKind.INTERNAL],
    ]);
  });
});

describe('inheritance', () => {
  class Base {
    constructor(protected readonly tag: string) {}
    @Span((id: string) => ({ id }))
    find(@SpanAttribute('of base') id: string): string {
      return `${this.tag} ${id} in ${spanName()}`;
    }
    @Span()
    overridden(id: string): string {
      return `base ${id}`;
    }
  }
  class Derived extends Base {
    @Span()
    override overridden(id: string): string {
      return `${super.overridden(id)} from ${spanName()}`;
    }
  }
  class Silent extends Base {
    override overridden(id: string): string {
      return `silent, then ${super.overridden(id)}`;
    }
  }
  class Replacing extends Base {
    override overridden(id: string): string {
      return `replaced ${id}`;
    }
  }

  it('keeps the span of an inherited method, with the name of the class that declares it', () => {
    expect(new Derived('tag').find('1')).toBe('tag 1 in Base.find');
    expect(spans.one('Base.find').attributes).toMatchObject({ id: '1', 'of base': '1' });
  });

  it('makes one span each for a method and the overridden one, if both are called', () => {
    expect(new Derived('tag').overridden('1')).toBe('base 1 from Derived.overridden');
    expect(spans.path(spans.one('Base.overridden'))).toBe('Base.overridden < Derived.overridden');
    expect(new Silent('tag').overridden('2')).toBe('silent, then base 2');
    expect(spans.names().filter((name) => name === 'Base.overridden')).toHaveLength(2);
  });

  it('makes no span for a method that overrides a traced one', () => {
    expect(new Replacing('tag').overridden('1')).toBe('replaced 1');
    expect(spans.names()).toEqual([]);
  });
});

describe('@Traceable()', () => {
  let accessed = 0;

  @Traceable()
  class Everything {
    field = () => spanName();
    static made(): string {
      return spanName();
    }
    one(): string {
      return spanName();
    }
    async two(@SpanAttribute('id') _id: string, @CurrentSpan() span?: OtelSpan): Promise<string> {
      span?.addEvent('inside');
      return spanName();
    }
    *three(): Generator<string> {
      yield spanName();
    }
    @NoSpan()
    silent(): string {
      return spanName();
    }
    get accessor(): string {
      accessed++;
      return spanName();
    }
    [Symbol.toPrimitive](): string {
      return spanName();
    }
    toString(): string {
      return spanName();
    }
    toJSON(): string {
      return spanName();
    }
    valueOf(): string {
      return spanName();
    }
    // oxlint-disable-next-line unicorn/no-thenable -- a class with a then method is tested
    then(resolve: (value: string) => void): void {
      resolve(spanName());
    }
  }

  it('traces methods of all kinds', async () => {
    const all = new Everything();
    expect(all.one()).toBe('Everything.one');
    await expect(all.two('7')).resolves.toBe('Everything.two');
    expect([...all.three()]).toEqual(['Everything.three']);
    expect(spans.names()).toEqual(['Everything.one', 'Everything.two', 'Everything.three']);
    expect(spans.one('Everything.two').attributes).toMatchObject({ id: '7' });
    expect(spans.one('Everything.two').events).toMatchObject([{ name: 'inside' }]);
  });

  it('does not trace fields, static methods, accessors, symbols and methods that the language calls', async () => {
    const all = new Everything();
    expect(accessed).toBe(0);
    const seen = [all.field(), Everything.made(), all.accessor, all[Symbol.toPrimitive](), all.toString()];
    seen.push(JSON.parse(JSON.stringify(all)) as string, all.valueOf(), await (all as unknown as PromiseLike<string>));
    expect(seen).toEqual(seen.map(() => 'no span'));
    expect(all).toBeInstanceOf(Everything);
    expect(spans.names()).toEqual([]);
  });

  it('does not trace a method with @NoSpan(), nor anything below it', () => {
    new Everything().silent();
    expect(spans.names()).toEqual([]);
  });

  it('does not trace inherited methods, which belong to their own class', () => {
    class Plain {
      inherited(): string {
        return spanName();
      }
    }
    @Traceable()
    class Derived extends Plain {
      own(): string {
        return this.inherited();
      }
    }
    expect(new Derived().own()).toBe('Derived.own');
    expect(new Derived().inherited()).toBe('no span');
    expect(spans.names()).toEqual(['Derived.own']);
  });
});

describe('@NoSpan()', () => {
  class Inner {
    @Span()
    work(): string {
      return spanName();
    }
  }
  const inner = new Inner();

  class Mixed {
    @NoSpan()
    sync(): string {
      return inner.work();
    }
    @NoSpan()
    async async(): Promise<string> {
      await new Promise((resolve) => setImmediate(resolve));
      return inner.work();
    }
    @NoSpan()
    stream(): Observable<string> {
      return from(Promise.resolve().then(() => inner.work()));
    }
    @NoSpan()
    *generator(): Generator<string> {
      yield inner.work();
    }
    @NoSpan()
    fail(): void {
      inner.work();
      throw new RangeError('mine');
    }
    @NoSpan()
    @Span()
    before(): void {}
    @Span()
    @NoSpan()
    after(): void {}
    @Span()
    loud(): void {
      this.sync();
      inner.work();
    }
  }
  const mixed = new Mixed();

  it('suppresses everything below the method, for all kinds of results', async () => {
    mixed.sync();
    await mixed.async();
    await lastValueFrom(mixed.stream());
    expect([...mixed.generator()]).toHaveLength(1);
    expect(() => mixed.fail()).toThrow('mine');
    expect(spans.names()).toEqual([]);
  });

  it('takes precedence over @Span() in both orders', () => {
    mixed.before();
    mixed.after();
    expect(spans.names()).toEqual([]);
  });

  it('ends where the method ends', () => {
    mixed.loud();
    expect(spans.names()).toEqual(['Inner.work', 'Mixed.loud']);
  });

  it('on a class suppresses all its methods, in both orders with @Traceable()', () => {
    @NoSpan()
    @Traceable()
    class Before {
      work(): string {
        return inner.work();
      }
      @Span()
      own(): string {
        return inner.work();
      }
    }
    @Traceable()
    @NoSpan()
    class After {
      work(): string {
        return inner.work();
      }
    }
    new Before().work();
    new Before().own();
    new After().work();
    expect(spans.names()).toEqual([]);
  });
});

describe('@CurrentSpan()', () => {
  class Owner {
    @Span()
    own(id: string, @CurrentSpan() span?: OtelSpan): [string, boolean] {
      span?.setAttribute('from.inside', id);
      return [id, span === trace.getActiveSpan()];
    }
    @Span()
    static ofClass(@CurrentSpan() span?: OtelSpan): boolean {
      return span === trace.getActiveSpan();
    }
    @Span()
    two(@CurrentSpan() first?: OtelSpan, @CurrentSpan() second?: OtelSpan): boolean {
      return first !== undefined && first === second;
    }
    untraced(@CurrentSpan() span?: OtelSpan): unknown {
      return span;
    }
  }

  it("gives a method its own span, even if the caller passes a value, and does not change the caller's list", () => {
    expect(new Owner().own('7')).toEqual(['7', true]);
    const args: [string, OtelSpan] = ['8', trace.wrapSpanContext(linked.context)];
    expect(new Owner().own(...args)).toEqual(['8', true]);
    expect(args[1].spanContext()).toBe(linked.context);
    expect(spans.all().map(({ attributes }) => attributes['from.inside'])).toEqual(['7', '8']);
  });

  it('works on static methods, without metadata for Nest', () => {
    expect(Owner.ofClass()).toBe(true);
    expect(Reflect.getMetadataKeys(Function, 'ofClass')).toEqual([]);
  });

  it('can be used twice in a method', () => {
    expect(new Owner().two()).toBe(true);
  });

  it('has no effect on a method that is not traced', () => {
    expect(new Owner().untraced()).toBeUndefined();
  });

  it('provides a span that is not recording if nothing is traced', () => {
    trace.disable();
    let recording: boolean | undefined;
    class Off {
      @Span()
      work(@CurrentSpan() span?: OtelSpan): void {
        span?.setAttribute('any', 'thing');
        recording = span?.isRecording();
      }
    }
    new Off().work();
    expect(recording).toBe(false);
  });
});

describe('a decorator in a wrong place throws an error', () => {
  const misuses: [string, () => unknown, RegExp][] = [
    [
      '@Span() on an arrow function',
      () =>
        class Users {
          // @ts-expect-error it is not a method
          @Span()
          find = () => {};
        },
      /^@Span\(\) stands on Users\.find, which is a property, perhaps an arrow function\. .*write find\(\) \{ … \}/,
    ],
    [
      '@Span() on an accessor',
      () =>
        class Users {
          // @ts-expect-error it is not a method
          @Span()
          get find() {
            return 1;
          }
        },
      /^@Span\(\) stands on Users\.find, which is an accessor\./,
    ],
    [
      '@NoSpan() on an arrow function',
      () =>
        class Users {
          // @ts-expect-error it is not a method
          @NoSpan()
          find = () => {};
        },
      /^@NoSpan\(\) stands on Users\.find, which is a property/,
    ],
    [
      '@CurrentSpan() on a constructor',
      () => {
        class Users {
          constructor(@CurrentSpan() readonly span: OtelSpan) {}
        }
        return Users;
      },
      /^@CurrentSpan\(\) stands on a constructor parameter/,
    ],
    [
      '@SpanAttribute() on a constructor',
      () => {
        class Users {
          constructor(@SpanAttribute('id') readonly id: string) {}
        }
        return Users;
      },
      /^@SpanAttribute\('id'\) stands on a constructor parameter/,
    ],
  ];

  it.each(misuses)('%s', (_, declare, message) => {
    expect(declare).toThrow(TypeError);
    expect(declare).toThrow(message);
  });

  it('also if a compiler passes no descriptor', () => {
    const decorate = Span() as unknown as PropertyDecorator;
    expect(() => decorate({}, 'find')).toThrow('which is a property, perhaps an arrow function');
  });
});

describe('without a registered provider', () => {
  class Passing {
    @Span((id: string) => ({ id }))
    sync(@SpanAttribute('id') id: string): string {
      return id;
    }
    @Span()
    async async(): Promise<boolean> {
      await Promise.resolve();
      return context.active() === ROOT_CONTEXT;
    }
    @Span()
    fail(): void {
      throw new RangeError('mine');
    }
    @NoSpan()
    silent(): string {
      return 'silent';
    }
  }

  it('methods work unchanged', async () => {
    trace.disable();
    context.disable();
    const passing = new Passing();
    expect(passing.sync('7')).toBe('7');
    await expect(passing.async()).resolves.toBe(true);
    expect(() => passing.fail()).toThrow(RangeError);
    expect(passing.silent()).toBe('silent');
    expect(spans.diagnostics).toEqual([]);
  });
});
