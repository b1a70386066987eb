import { beforeEach, expect } from '@jest/globals';

// A test that never reached its expectations, because a callback did not run or a list was empty, must not pass.
beforeEach(() => expect.hasAssertions());
