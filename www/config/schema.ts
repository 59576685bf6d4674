// Reads the core's JSON schema into what a form needs. The only place that knows JSON Schema.

/** A list holds some of its field's choices, each once. */
export type Value = number | string | boolean | null | string[];
/** A config as the page sees it: sections of named values. What is allowed is the core's to say. */
export type Config = Record<string, Values>;
export type Values = Record<string, Value>;

export type JsonSchema = {
  $ref?: string;
  $defs?: Record<string, JsonSchema>;
  allOf?: JsonSchema[];
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  enum?: Value[];
  const?: Value;
  type?: string | string[];
  title?: string;
  description?: string;
  default?: Value;
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  'x-unit'?: string;
  'x-advanced'?: boolean;
  'x-step'?: number;
  'x-scale'?: string;
  'x-when'?: Record<string, Value[]>;
  'x-defaults'?: { by: string; values: Record<string, Values> };
};

export type Choice = { value: Value; label: string; help: string };

export type Field = {
  /** `section.name`: the name used in links, in problems and as the control's id. */
  path: string;
  section: string;
  name: string;
  label: string;
  /** One short sentence, and the paragraphs behind "more". */
  help: string;
  details: string[];
  kind: 'integer' | 'number' | 'text' | 'switch' | 'choice' | 'list';
  nullable: boolean;
  choices: Choice[];
  minimum: number | null;
  maximum: number | null;
  step: number | null;
  logarithmic: boolean;
  unit: string | null;
  advanced: boolean;
  /** It matters only while these settings, by path, have one of these values. */
  when: [path: string, values: Value[]][];
};

export type Section = {
  name: string;
  label: string;
  help: string;
  fields: Field[];
  /** Where defaults depend on a setting: its path, and the defaults that come with each of its values. */
  dependent: { path: string; values: Record<string, Values> } | null;
};

export function readSections(root: JsonSchema): Section[] {
  return Object.entries(root.properties ?? {}).map(([name, node]) => {
    const section = resolve(root, node);
    const defaults = section['x-defaults'];
    return {
      name,
      label: section.title && node.title ? section.title : humanize(name),
      help: split(section.description).help,
      fields: Object.entries(section.properties ?? {}).map(([field, schema]) =>
        readField(root, name, field, schema),
      ),
      dependent: defaults ? { path: `${name}.${defaults.by}`, values: defaults.values } : null,
    };
  });
}

function readField(root: JsonSchema, section: string, name: string, node: JsonSchema): Field {
  const schema = resolve(root, node);
  const types = [schema.type ?? []].flat();
  const choices = readChoices(schema.items ? resolve(root, schema.items) : schema);
  return {
    path: `${section}.${name}`,
    section,
    name,
    label: node.title ?? humanize(name),
    ...split(schema.description),
    kind: schema.items ? 'list' : choices.length > 0 ? 'choice' : kindOf(types),
    nullable: types.includes('null'),
    choices,
    minimum: schema.minimum ?? schema.exclusiveMinimum ?? null,
    maximum: schema.maximum ?? schema.exclusiveMaximum ?? null,
    step: schema['x-step'] ?? null,
    logarithmic: schema['x-scale'] === 'log',
    unit: schema['x-unit'] ?? null,
    advanced: schema['x-advanced'] ?? false,
    when: Object.entries(schema['x-when'] ?? {}).map(([sibling, values]) => [
      `${section}.${sibling}`,
      values,
    ]),
  };
}

function kindOf(types: string[]): Field['kind'] {
  if (types.includes('boolean')) return 'switch';
  if (types.includes('integer')) return 'integer';
  return types.includes('number') ? 'number' : 'text';
}

/** Follows `$ref` and `allOf`/`anyOf` of one; what stands beside the reference wins over its target. */
function resolve(root: JsonSchema, node: JsonSchema): JsonSchema {
  const own = Object.fromEntries(
    Object.entries(node).filter(([key]) => !['$ref', 'allOf', 'anyOf'].includes(key)),
  );
  if (node.$ref) {
    const target = root.$defs?.[node.$ref.split('/').at(-1) ?? ''] ?? {};
    return { ...resolve(root, target), ...own };
  }
  const branches = [...(node.allOf ?? []), ...(node.anyOf ?? [])];
  if (branches.length === 0) return node;
  // An optional value is written `anyOf: [something, {type: 'null'}]`.
  const some = branches.find((branch) => branch.type !== 'null') ?? {};
  const target = resolve(root, some);
  const nullable = branches.some((branch) => branch.type === 'null');
  return { ...target, ...(nullable ? { type: [target.type ?? [], 'null'].flat() } : {}), ...own };
}

function readChoices(schema: JsonSchema): Choice[] {
  const listed = (schema.enum ?? []).map((value) => ({ value, label: humanize(String(value)), help: '' }));
  const described = (schema.oneOf ?? [])
    .filter((choice) => choice.const !== undefined)
    .map((choice) => ({
      value: choice.const as Value,
      label: choice.title ?? humanize(String(choice.const)),
      help: (choice.description ?? '').replaceAll('\n', ' '),
    }));
  const grouped = (schema.oneOf ?? []).flatMap((group) => readChoices({ enum: group.enum ?? [] }));
  return [...listed, ...described, ...grouped];
}

/** The first paragraph is the short help; those after it wait behind "more". */
function split(description: string | undefined): { help: string; details: string[] } {
  const [help = '', ...details] = (description ?? '')
    .split(/\n\s*\n/)
    .map((part) => part.replaceAll('\n', ' '));
  return { help: help.trim(), details: details.map((part) => part.trim()).filter(Boolean) };
}

export function humanize(name: string): string {
  const words = name.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
