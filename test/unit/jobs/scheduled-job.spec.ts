import { describe, expect, it } from '@jest/globals';
import { cronText, jobOfCronJob, jobOfMethod, withoutIds } from '../../../lib/jobs/schedule/scheduled-job.js';

describe('withoutIds()', () => {
  it.each([
    ['nightly-report', 'nightly-report'],
    ['reminder-4711', 'reminder-*'],
    ['3fa85f64-5717-4562-b3fc-2c963f66afa6', '*'],
    ['user 12 at 9:30', 'user * at *:*'],
    ['report_v2', '*'],
    ['', ''],
  ])('%j becomes %j', (name, expected) => {
    expect(withoutIds(name)).toBe(expected);
  });
});

describe('cronText()', () => {
  it.each<[unknown, string | undefined]>([
    ['*/5 * * * *', '*/5 * * * *'],
    [new Date(0), '1970-01-01T00:00:00.000Z'],
    [new Date(Number.NaN), undefined],
    [{ toISO: () => '2030-01-01T00:00:00.000Z' }, '2030-01-01T00:00:00.000Z'],
    [{ toISO: () => null }, undefined],
    [undefined, undefined],
    [null, undefined],
    [5, undefined],
  ])('%p becomes %j', (cronTime, expected) => {
    expect(cronText(cronTime)).toBe(expected);
  });
});

describe('jobOfMethod()', () => {
  it('is undefined for a method that is not scheduled', () => {
    class Service {
      method(): void {}
    }
    const service = new Service();
    expect(jobOfMethod(service.method, service)).toBeUndefined();
  });

  it('is named by the class of the instance and the name under which it has the method', () => {
    class Base {
      purge(): void {}
    }
    class Derived extends Base {
      get broken(): never {
        throw new Error('a getter');
      }
    }
    const other = function replacedByADecorator(): void {};
    Base.prototype.purge = other;
    Reflect.defineMetadata('SCHEDULER_TYPE', 3, other);
    Reflect.defineMetadata('SCHEDULE_INTERVAL_OPTIONS', { timeout: 10 }, other);
    expect(jobOfMethod(other, new Derived())).toMatchObject({
      spanName: 'Derived.purge',
      methodName: 'Derived.purge',
      attributes: { 'nestjs.schedule.type': 'interval', 'nestjs.schedule.interval': 10 },
    });
  });
});

it('jobOfCronJob() records what it finds', () => {
  expect(jobOfCronJob('one', {}).attributes).toEqual({ 'nestjs.schedule.type': 'cron', 'nestjs.schedule.name': 'one' });
});
