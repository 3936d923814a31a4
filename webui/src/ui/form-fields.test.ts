import { expect, test } from 'vitest';
import { answerOf, formFields } from './form-fields';

const SCHEMA = {
  type: 'object',
  required: ['name', 'size'],
  properties: {
    name: { type: 'string', title: 'Your name', description: 'As on the card.', minLength: 2 },
    mail: { type: 'string', format: 'email' },
    size: { type: 'string', enum: ['s', 'm'], enumNames: ['Small', 'Medium'], default: 'm' },
    colour: { type: 'string', oneOf: [{ const: '#f00', title: 'Red' }] },
    count: { type: 'integer', minimum: 1, maximum: 5 },
    sure: { type: 'boolean', default: true },
    tags: { type: 'array', items: { type: 'string', enum: ['a', 'b'] } },
    __proto__x: { type: 'string' },
  },
};

test('a flat schema becomes fields with their names, choices and bounds', () => {
  const fields = formFields(SCHEMA);
  expect(fields.map((field) => [field.name, field.kind, field.required])).toEqual([
    ['name', 'text', true],
    ['mail', 'text', false],
    ['size', 'choice', true],
    ['colour', 'choice', false],
    ['count', 'number', false],
    ['sure', 'check', false],
    ['tags', 'choices', false],
    ['__proto__x', 'text', false],
  ]);
  expect(fields.map((field) => field.initial)).toEqual(['', '', 'm', '', '', true, [], '']);
  expect(fields[0]).toMatchObject({ label: 'Your name', hint: 'As on the card.', least: 2 });
  expect(fields[1]?.type).toBe('email');
  expect(fields[2]?.options).toEqual([
    { value: 's', label: 'Small' },
    { value: 'm', label: 'Medium' },
  ]);
  expect(fields[3]?.options).toEqual([{ value: '#f00', label: 'Red' }]);
  expect(fields[4]).toMatchObject({ whole: true, least: 1, most: 5 });
});

test('the answer has the types of the schema, and leaves out what was left empty', () => {
  const fields = formFields(SCHEMA);
  expect(answerOf(fields, ['Ada', '', 's', '', '3', false, ['b'], ''])).toEqual({
    ...{ name: 'Ada', size: 's', count: 3, sure: false, tags: ['b'] },
  });
});

test('a name like that of an object’s own parts is a name like any other', () => {
  const fields = formFields(JSON.parse('{"properties": {"__proto__": {"type": "string"}}}') as Record<string, unknown>);
  expect(JSON.stringify(answerOf(fields, ['x']))).toBe('{"__proto__":"x"}');
});

test('what is no schema is a form without fields', () => {
  for (const odd of [{}, { properties: null }, { properties: [1] }]) expect(formFields(odd)).toEqual([]);
});
