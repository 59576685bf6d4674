// Runs as one file that another browser opens: docs/experiment-file.md says what is in it. What comes in is looked at
// whole before anything is taken, for a file may come from anywhere.

import type { Config, Value } from '../config/schema';
import { bytes } from '../format';
import type { DeviceInfo, Plan } from '../lab';
import { EVALUATION, METRIC } from '../record';
import { findings, NO_FINDINGS } from './findings';
import {
  isObject,
  later,
  list,
  number,
  numbers,
  object,
  oneOf,
  orNull,
  type Reader,
  refuse,
  short,
  text,
  yes,
} from './reader';
import { RUN_STATES, type RunState, type StoredRun, type StoredSweep, type Table } from './types';

const FORMAT = 'trainlab-experiment';
/** Raised where a reader of the one before would misread a file. */
const VERSION = 1;
/** What a browser can take in one piece. */
const LARGEST = 256 * 1024 ** 2;

export type Experiment = { runs: StoredRun[]; sweeps: StoredSweep[] };

export const isExperimentFile = ({ name }: File): boolean => /\.experiment\.json$/i.test(name);

export const experimentName = (): string =>
  `trainlab-${new Date().toISOString().slice(0, 10)}.experiment.json`;

export function writeExperiment({ runs, sweeps }: Experiment): Blob {
  const head = { format: FORMAT, version: VERSION, written: new Date().toISOString() };
  const list = (items: string[]) => `[${items.map((item) => `\n${item}`).join(',')}\n]`;
  const parts = runs.map((run) =>
    JSON.stringify({ ...run, train: plain(run.train), validation: plain(run.validation) }),
  );
  return new Blob(
    [
      JSON.stringify(head).slice(0, -1),
      // Texts and tokenizers of the visitor's own stay at home.
      `,\n"runs":${list(parts)},\n"sweeps":${list(sweeps.map((sweep) => JSON.stringify({ ...sweep, brought: undefined })))}}\n`,
    ],
    { type: 'application/json' },
  );
}

/** JSON has no words for numbers that are not finite. */
const plain = (table: Table<string>) =>
  Object.fromEntries(
    Object.entries(table).map(([key, column]) => [
      key,
      Array.from(column, (value) => (Number.isFinite(value) ? value : String(value))),
    ]),
  );

/** Throws an Error that says what is wrong, and where. */
export async function readExperiment(file: Blob): Promise<Experiment> {
  if (file.size > LARGEST)
    throw new Error(`The file has ${bytes(file.size)}; at most ${bytes(LARGEST)} fit.`);
  let content: unknown;
  try {
    content = JSON.parse(await file.text());
  } catch {
    throw new Error('The file is no JSON, or is cut short.');
  }
  const { format, version } = (content ?? {}) as { format?: unknown; version?: unknown };
  if (format !== FORMAT) throw new Error('The file is no experiment that trainlab saved.');
  if (typeof version !== 'number' || version > VERSION)
    throw new Error(
      `The file’s version is ${short(version)}; this page reads up to ${VERSION}. Reload the page for a newer one.`,
    );
  const read = object({ runs: list(run, 10_000), sweeps: list(sweep, 1_000) })(content, 'the file');
  const ids = new Set<string>();
  for (const { id } of read.runs) {
    if (ids.has(id)) throw new Error(`Two runs of the file have the id ${short(id)}.`);
    ids.add(id);
  }
  return read;
}

const id: Reader<string> = (value, at) =>
  typeof value === 'string' && /^[\w.-]{1,100}$/.test(value)
    ? value
    : refuse(value, at, 'letters, digits, - and _');

const setting: Reader<Value> = (value, at) => {
  const plainly = (one: unknown) => ['string', 'number', 'boolean'].includes(typeof one) || one === null;
  return plainly(value) || (Array.isArray(value) && value.length <= 1000 && value.every(plainly))
    ? (value as Value)
    : refuse(value, at, 'a number, a text, true, false, null or a list of these');
};

/** Whatever settings there were when it was made: the form and the core look at them again where they are used. */
const config: Reader<Config> = (value, at) => {
  if (!isObject(value)) return refuse(value, at, 'sections of settings');
  const sections = Object.entries(value).map(([name, values]) => {
    if (!isObject(values)) return refuse(values, `${at} → ${name}`, 'settings by name');
    const pairs = Object.entries(values).map(
      ([key, one]) => [key, setting(one, `${at} → ${name}.${key}`)] as const,
    );
    return [name, Object.fromEntries(pairs)] as const;
  });
  return Object.fromEntries(sections) as Config;
};

const work = (value: unknown, at: string) => ({
  ...object({ part: oneOf('attention', 'matmul', 'head', 'optimizer', 'rest') })(value, at),
  ...numbers('flops_per_token', 'bytes_per_token')(value, at),
});

const bytesByPurpose = (value: unknown, at: string) => ({
  ...numbers('parameters', 'gradients', 'optimizer', 'activations', 'traffic', 'total')(value, at),
  ...later({ replicas: number })(value, at),
});

const device: Reader<DeviceInfo> = (value, at) => ({
  ...object({ kind: oneOf('gpu', 'cpu'), name: text(500), software: yes, note: orNull(text(5000)) })(
    value,
    at,
  ),
  ...later({ workers: number })(value, at),
});

const plan: Reader<Plan> = (value, at) => ({
  ...numbers(
    'parameters',
    'hidden',
    'optimizer_bytes_per_parameter',
    'flops_per_token',
    'dispatches',
    'vocabulary',
    'train_tokens',
    'held_out_tokens',
    'bytes_per_token',
    'unigram_loss',
    'unigram_bits_per_byte',
    'tokens_per_step',
  )(value, at),
  ...object({
    parts: numbers('embeddings', 'attention', 'mlp', 'norms', 'head'),
    bytes: bytesByPurpose,
  })(value, at),
  ...later({ work: list(work, 100), length: numbers('full', 'causal', 'counted', 'attention_share') })(
    value,
    at,
  ),
});

const table =
  <Key extends string>(keys: readonly Key[]): Reader<Table<Key>> =>
  (value, at) => {
    const columns = object(
      Object.fromEntries(keys.map((key) => [key, list(number, 10_000_000)])) as unknown as Record<
        Key,
        Reader<number[]>
      >,
    )(value, at) as Record<Key, number[]>;
    const lengths = new Set(keys.map((key) => columns[key].length));
    if (lengths.size > 1) refuse([...lengths], at, 'columns of one length');
    return Object.fromEntries(keys.map((key) => [key, Float64Array.from(columns[key])])) as Table<Key>;
  };

const place = { step: number, tokens: number, seconds: number, flops: number };

const taskScore = (value: unknown, at: string) => ({
  ...object({ task: text(200) })(value, at),
  ...numbers('items', 'accuracy', 'standard_error', 'chance', 'accuracy_per_byte')(value, at),
  ...later({ by_distance: list(numbers('last', 'items', 'accuracy', 'standard_error', 'chance'), 100) })(
    value,
    at,
  ),
});

const scores = object({
  ...place,
  accuracy: number,
  standard_error: number,
  tasks: list(taskScore, 100),
});

/** A run that was live goes on in the browser that it came from, if anywhere. */
const state: Reader<RunState> = (value, at) => {
  const known = oneOf(...RUN_STATES)(value, at);
  return known === 'running' || known === 'paused' ? 'interrupted' : known;
};

const points = object({
  id,
  name: text(500),
  created: number,
  config,
  plan,
  device,
  state,
  message: orNull(text(100_000)),
  sweep: orNull(id),
  train: table(METRIC),
  validation: table(EVALUATION),
  scores: list(scores, 1_000_000),
});

const run: Reader<StoredRun> = (value, at) => ({
  ...points(value, at),
  findings: NO_FINDINGS,
  ...later({ findings })(value, at),
});

const values: Reader<Record<string, Value>> = (value, at) => {
  if (!isObject(value)) return refuse(value, at, 'settings by path');
  const pairs = Object.entries(value).map(([path, one]) => [path, setting(one, `${at} → ${path}`)] as const);
  return Object.fromEntries(pairs);
};

/** What it was to do, in the form of W&B's sweeps, which the core reads with care wherever it is used. */
const definition: Reader<Record<string, unknown>> = (value, at) =>
  isObject(value) && isObject(value.parameters) ? value : refuse(value, at, 'a sweep with parameters');

const member = object({
  run: id,
  name: text(500),
  values,
  config,
  cost: orNull(numbers('steps', 'flops')),
  state: oneOf('waiting', 'running', 'paused', 'finished', 'diverged', 'failed', 'skipped'),
  message: orNull(text(100_000)),
  broken: number,
});

/** One that goes on stands still where it arrives, and what was under way begins anew. */
const sweep: Reader<StoredSweep> = (value, at) => {
  const read = object({
    id,
    name: text(500),
    created: number,
    definition,
    device: oneOf('gpu', 'cpu'),
    workers: number,
    state: oneOf('ready', 'queued', 'running', 'paused', 'done'),
    message: orNull(text(100_000)),
    members: list(member, 10_000),
  })(value, at);
  const halted = ({ state, ...rest }: (typeof read.members)[number]) => ({
    ...rest,
    state: state === 'running' || state === 'paused' ? ('waiting' as const) : state,
  });
  const state = read.state === 'running' || read.state === 'queued' ? 'paused' : read.state;
  return { ...read, state, members: read.members.map(halted), brought: { text: null, tokenizer: null } };
};
