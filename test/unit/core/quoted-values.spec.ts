import { describe, expect, it } from '@jest/globals';
import { withoutQuotedValues } from '../../../lib/core/quoted-values.js';

describe('the values of a query in the message of an ORM', () => {
  it.each([
    ["Failed query: select * from t where a = 'x' and b = ?\nparams: hunter2", 'Failed query'],
    ['not saved: Failed query: insert into t values (?)\nparams: hunter2,1', 'not saved: Failed query'],
    [
      'Could not find any entity of type "User" matching: {\n    "name": "hunter2"\n}',
      'Could not find any entity of type "User" matching: ?',
    ],
    ["User not found ({ name: 'hunter2' })", 'User not found (?)'],
    ["User not found ('hunter2')", 'User not found (?)'],
    [
      "Wrong number of User entities found for query { name: 'hunter2' }, expected exactly one",
      'Wrong number of User entities found for query ?, expected exactly one',
    ],
    [
      "Trying to set User.age of type 'number' to 'hunter2' of type 'string'",
      "Trying to set User.age of type 'number'",
    ],
    [
      "Value for User.age is required, 'undefined' found\nentity: { name: 'hunter2' }",
      'Value for User.age is required',
    ],
    [
      "Entity of type Dog expected for property User.dog, 'hunter2' of type String given. If you are",
      'Entity of type Dog expected for property User.dog',
    ],
    [
      "User#findOrCreate: value used for name was not equal for both the find and the create calls, 'hunter2' vs 'x'",
      'User#findOrCreate: value used for name was not equal for both the find and the create calls',
    ],
  ])('%j becomes %j', (message, shown) => {
    expect(withoutQuotedValues(message)).toBe(shown);
  });

  it.each([
    'Failed query: timeout',
    'The page was not found (404), try again',
    'no template matching: a.html',
    'File not found (see the log)',
    'User not found (42)',
    'email is required, please',
    '',
  ])('%j stays', (message) => {
    expect(withoutQuotedValues(message)).toBe(message);
  });
});

it('takes no long time for a long message', () => {
  const marks = [
    '\nparams: ',
    ' matching: ',
    'A not found (',
    'Trying to set a of type ',
    'Value for a is required, ',
    'Could not convert ',
  ];
  const started = performance.now();
  for (const mark of marks) withoutQuotedValues(mark.repeat(65_536 / mark.length));
  expect(performance.now() - started).toBeLessThan(1000);
});
