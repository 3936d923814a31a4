/** The fields of a form that a tool asks for: a flat JSON schema, as MCP's elicitation has it. */

export interface Option {
  value: string;
  label: string;
}

export interface FormField {
  name: string;
  label: string;
  hint: string;
  required: boolean;
  kind: 'text' | 'number' | 'check' | 'choice' | 'choices' | 'lines';
  /** The type of the input, for texts. */
  type: 'text' | 'email' | 'url' | 'date' | 'datetime-local';
  /** Only whole numbers. */
  whole: boolean;
  least: number | undefined;
  most: number | undefined;
  options: Option[];
  initial: FieldValue;
}

/** What a person has entered: a text (of numbers, too), a tick, or several choices. */
export type FieldValue = string | boolean | string[];

type Schema = Record<string, unknown>;

const TYPES: Record<string, FormField['type']> = {
  email: 'email',
  uri: 'url',
  date: 'date',
  'date-time': 'datetime-local',
};

export function formFields(schema: Schema): FormField[] {
  const required = Array.isArray(schema['required']) ? (schema['required'] as unknown[]) : [];
  return Object.entries(object(schema['properties'])).map(([name, field]) =>
    fieldOf(name, object(field), required.includes(name)),
  );
}

function fieldOf(name: string, schema: Schema, required: boolean): FormField {
  const items = object(schema['items']);
  const several = schema['type'] === 'array';
  const options = optionsOf(several ? items : schema);
  const kind = kindOf(schema['type'], options);
  const bounds =
    kind === 'number' ? ['minimum', 'maximum'] : several ? ['minItems', 'maxItems'] : ['minLength', 'maxLength'];
  const [least, most] = bounds.map((key) => number(schema[key]));
  return {
    name,
    label: text(schema['title']) || name,
    hint: text(schema['description']),
    required,
    kind,
    type: TYPES[text(schema['format'])] ?? 'text',
    whole: schema['type'] === 'integer',
    least,
    most,
    options,
    initial: initial(kind, schema['default']),
  };
}

function kindOf(type: unknown, options: Option[]): FormField['kind'] {
  if (type === 'array') return options.length ? 'choices' : 'lines';
  if (options.length) return 'choice';
  if (type === 'boolean') return 'check';
  return type === 'number' || type === 'integer' ? 'number' : 'text';
}

/** Choices are plain (`enum`, with `enumNames`) or titled (`oneOf`, `anyOf`). */
function optionsOf(schema: Schema): Option[] {
  const titled = schema['oneOf'] ?? schema['anyOf'];
  if (Array.isArray(titled))
    return titled.map(object).flatMap((item) => {
      const value = text(item['const']);
      return value ? [{ value, label: text(item['title']) || value }] : [];
    });
  if (!Array.isArray(schema['enum'])) return [];
  const names: unknown[] = Array.isArray(schema['enumNames']) ? schema['enumNames'] : [];
  return schema['enum'].map((value, i) => ({ value: String(value), label: text(names[i]) || String(value) }));
}

function initial(kind: FormField['kind'], given: unknown): FieldValue {
  if (kind === 'check') return given === true;
  if (kind === 'choices') return Array.isArray(given) ? given.map(String) : [];
  if (kind === 'lines') return Array.isArray(given) ? given.map(String).join('\n') : '';
  return typeof given === 'string' || typeof given === 'number' ? String(given) : '';
}

/** Return the answer that the entries make; what was left empty is left out. */
export function answerOf(fields: FormField[], values: FieldValue[]): Record<string, unknown> {
  const given = fields.map((field, i): [string, unknown] => [field.name, valueOf(field, values[i])]);
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
}

function valueOf(field: FormField, value: FieldValue | undefined): unknown {
  if (typeof value !== 'string') return Array.isArray(value) && !value.length && !field.required ? undefined : value;
  if (field.kind === 'lines') {
    const lines = value.split('\n').filter((line) => line.trim());
    return lines.length || field.required ? lines : undefined;
  }
  if (value === '') return field.required && field.kind === 'text' ? '' : undefined;
  if (field.kind === 'number') return Number(value);
  return field.type === 'datetime-local' ? new Date(value).toISOString() : value;
}

function object(value: unknown): Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Schema) : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
