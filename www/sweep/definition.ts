// Sweeps in the form of W&B, read and changed part by part: what is asked about, what all runs have, the seeds, the
// budget. Pure.

import type { Config, Section, Value } from '../config/schema';
import { differences, get, same } from '../config/values';
import type { Budget, Definition, Parameter } from './types';

export const SEED = 'training.seed';
/** What random draws go by. */
const DRAWS = 'sweep.seed';
const BUDGET = 'budget.';
export const STEPS = 'training.steps';

export const KINDS = ['tokens', 'bytes', 'flops', 'seconds'] as const;

const isBudget = (path: string): boolean => path.startsWith(BUDGET);
/** No settings of a run, or not as others are. */
const isOwn = (path: string): boolean => path === SEED || path === DRAWS || isBudget(path);
const isConstant = ({ value }: Parameter): boolean => value !== undefined;

/** By path, in their order, what is asked about. */
export const varied = ({ parameters }: Definition): [path: string, Parameter][] =>
  Object.entries(parameters).filter(([path, parameter]) => !isOwn(path) && !isConstant(parameter));

/** What all runs have that is not the default. */
export const constants = ({ parameters }: Definition): [path: string, value: Value][] =>
  Object.entries(parameters).flatMap(([path, { value }]) =>
    isOwn(path) || value === undefined ? [] : [[path, value]],
  );

export function budgetOf({ parameters }: Definition): Budget | null {
  for (const kind of KINDS) {
    const amount = parameters[BUDGET + kind]?.value;
    if (amount !== undefined) return { kind, amount: Number(amount) };
  }
  return null;
}

/** A budget decides about steps. */
export function withBudget(definition: Definition, budget: Budget | null): Definition {
  const others = Object.entries(definition.parameters).filter(
    ([path]) => !isBudget(path) && !(budget && path === STEPS),
  );
  const own = budget ? [[BUDGET + budget.kind, { value: budget.amount }] as const] : [];
  return { ...definition, parameters: Object.fromEntries([...others, ...own]) };
}

export function seedsOf({ parameters }: Definition): Value[] {
  const { value, values } = parameters[SEED] ?? {};
  return values ?? (value === undefined ? [] : [value]);
}

/** So many, from `first` on. */
export function withSeeds(definition: Definition, count: number, first: number): Definition {
  const values = Array.from({ length: count }, (_, index) => first + index);
  return withParameter(definition, SEED, { values });
}

/**
 * Null: it has its default in all runs. Seeds stay last: the last parameter changes fastest, so that what is repeated
 * runs one after the other.
 */
export function withParameter(definition: Definition, path: string, parameter: Parameter | null): Definition {
  const { [path]: before, ...others } = definition.parameters;
  if (parameter === null) return { ...definition, parameters: others };
  // In its place, where it has one.
  if (before) return { ...definition, parameters: { ...definition.parameters, [path]: parameter } };
  const { [SEED]: seeds, ...rest } = others;
  const parameters = { ...rest, [path]: parameter, ...(seeds && { [SEED]: seeds }) };
  return { ...definition, parameters };
}

/** What all runs have: what differs from the defaults that come with a config's choices, in place of what they had. */
export function withBase(
  definition: Definition,
  config: Config,
  usual: Config,
  sections: Section[],
): Definition {
  const { parameters } = definition;
  const kept = Object.entries(parameters).filter(
    ([path, parameter]) => isOwn(path) || !isConstant(parameter),
  );
  const base = differences(config, usual, sections)
    .filter((path) => path !== SEED && !(path === STEPS && budgetOf(definition)))
    .filter((path) => !kept.some(([name]) => name === path))
    .map((path) => [path, { value: get(config, path) }] as const);
  return { ...definition, parameters: Object.fromEntries([...base, ...kept]) };
}

/** So many more runs of those among a sweep's that have one of these configs, with seeds that none has had. */
export function repeated(definition: Definition, configs: Config[], count: number): Definition {
  const used = seedsOf(definition).map(Number);
  const narrowed = varied(definition).reduce((narrow, [path, { values, ...rest }]) => {
    const still = values?.filter((value) => configs.some((config) => same(get(config, path), value)));
    return still && still.length > 0 ? withParameter(narrow, path, { ...rest, values: still }) : narrow;
  }, definition);
  return withSeeds(narrowed, count, Math.max(0, ...used) + 1);
}
