import { tracingMatchers } from 'nestjs-tracing/testing';

expect.extend(tracingMatchers);
