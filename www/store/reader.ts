// Reading what a file holds, piece by piece: each reader takes a value as it is meant or throws an Error that says where it
// is wrong and what is allowed.

export type Reader<T> = (value: unknown, at: string) => T;
type Read<R> = R extends Reader<infer T> ? T : never;

export function refuse(value: unknown, at: string, allowed: string): never {
  throw new Error(`${at} is ${short(value)}; allowed: ${allowed}.`);
}

export const short = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'missing';
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
};

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Only what is named is taken. */
export function object<Shape extends Record<string, Reader<unknown>>>(
  shape: Shape,
): Reader<{ [Key in keyof Shape]: Read<Shape[Key]> }> {
  return (value, at) => {
    if (!isObject(value)) return refuse(value, at, 'an object');
    const pairs = Object.entries(shape).map(
      ([key, reader]) => [key, reader(value[key], `${at} → ${key}`)] as const,
    );
    return Object.fromEntries(pairs) as { [Key in keyof Shape]: Read<Shape[Key]> };
  };
}

/** The same, of parts that files from before they were known lack. */
export function later<Shape extends Record<string, Reader<unknown>>>(
  shape: Shape,
): Reader<{ [Key in keyof Shape]?: Read<Shape[Key]> }> {
  return (value, at) => {
    if (!isObject(value)) return refuse(value, at, 'an object');
    const there = Object.entries(shape).filter(([key]) => value[key] !== undefined);
    return object(Object.fromEntries(there))(value, at) as { [Key in keyof Shape]?: Read<Shape[Key]> };
  };
}

export const list =
  <T>(reader: Reader<T>, most: number): Reader<T[]> =>
  (value, at) => {
    if (!Array.isArray(value) || value.length > most) return refuse(value, at, `a list of at most ${most}`);
    return value.map((item, index) => reader(item, `${at} → ${index + 1}`));
  };

export const text =
  (most: number): Reader<string> =>
  (value, at) =>
    typeof value === 'string' && value.length <= most
      ? value
      : refuse(value, at, `a text of at most ${most} characters`);

export const number: Reader<number> = (value, at) =>
  typeof value === 'number'
    ? value
    : typeof value === 'string' && /^(NaN|-?Infinity)$/.test(value)
      ? Number(value)
      : refuse(value, at, 'a number');

export const yes: Reader<boolean> = (value, at) =>
  typeof value === 'boolean' ? value : refuse(value, at, 'true or false');

export const orNull =
  <T>(reader: Reader<T>): Reader<T | null> =>
  (value, at) =>
    value === null ? null : reader(value, at);

export const oneOf =
  <T extends string>(...words: T[]): Reader<T> =>
  (value, at) =>
    words.find((word) => word === value) ?? refuse(value, at, words.join(', '));

/** So many numbers by name. */
export const numbers = <Key extends string>(...keys: Key[]) =>
  object(Object.fromEntries(keys.map((key) => [key, number])) as Record<Key, Reader<number>>);
