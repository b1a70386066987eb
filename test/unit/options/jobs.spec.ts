import { describe, expect, it } from '@jest/globals';
import { resolveJobs, type JobsOptions } from '../../../lib/options/jobs.js';
import { TracingConfigurationError } from '../../../lib/tracing.errors.js';

const ALL = { schedule: true, bull: { continueTrace: false }, commands: true };

describe('resolveJobs()', () => {
  it.each<[JobsOptions | boolean | undefined, object | undefined]>([
    [undefined, ALL],
    [true, ALL],
    ['true' as never, ALL],
    [{}, ALL],
    [false, undefined],
    ['false' as never, undefined],
    [{ schedule: false }, { ...ALL, schedule: false }],
    [{ commands: 'false' as never }, { ...ALL, commands: false }],
    [{ bull: true }, ALL],
    [{ bull: false }, { ...ALL, bull: undefined }],
    [{ bull: { continueTrace: true } }, { ...ALL, bull: { continueTrace: true } }],
    [{ schedule: false, bull: false, commands: false }, undefined],
  ])('resolves %j', (given, expected) => {
    expect(resolveJobs(given)).toEqual(expected);
  });

  it.each<[unknown, string]>([
    ['yes', 'jobs'],
    [null, 'jobs'],
    [[], 'jobs'],
    [{ schedules: true }, 'jobs.schedules'],
    [{ schedule: 'maybe' }, 'jobs.schedule'],
    [{ bull: 5 }, 'jobs.bull'],
    [{ bull: { continue: true } }, 'jobs.bull.continue'],
    [{ bull: { continueTrace: 'maybe' } }, 'jobs.bull.continueTrace'],
  ])('refuses %j', (given, option) => {
    const resolve = () => resolveJobs(given as JobsOptions);
    expect(resolve).toThrow(TracingConfigurationError);
    expect(resolve).toThrow(`"${option}"`);
  });
});
