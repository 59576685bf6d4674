// Runs that were never made, with figures that are easy to reckon with.

const column = (values) => Float64Array.from(values);

/** A small schema of the same form as the core's. */
export const schema = {
  properties: {
    data: {
      properties: {
        corpus: { type: 'string' },
        text_bytes: { type: 'integer', 'x-unit': 'bytes', 'x-when': { corpus: ['tiny_tales'] } },
      },
    },
    tokenizer: {
      properties: {
        kind: {
          oneOf: [
            { const: 'characters', title: 'Characters' },
            { const: 'bpe', title: 'Byte-level BPE' },
          ],
        },
      },
    },
    optimizer: {
      'x-defaults': {
        by: 'kind',
        values: {
          adamw: { learning_rate: 0.001, beta1: 0.9 },
          muon: { learning_rate: 0.02, momentum: 0.95 },
        },
      },
      properties: {
        kind: {
          oneOf: [
            { const: 'adamw', title: 'AdamW' },
            { const: 'muon', title: 'Muon' },
          ],
        },
        learning_rate: { type: 'number' },
        beta1: { type: 'number', 'x-when': { kind: ['adamw'] } },
        momentum: { type: 'number', 'x-when': { kind: ['muon'] } },
      },
    },
    training: { properties: { steps: { type: 'integer' }, seed: { type: 'integer' } } },
    evaluation: {
      properties: {
        bytes: { type: 'integer' },
        final_bytes: { type: 'integer' },
        context: { type: 'integer' },
        prompt: { type: 'string' },
      },
    },
    downstream: {
      properties: { items: { type: 'integer' }, seed: { type: 'integer' }, every: { type: 'integer' } },
    },
  },
};

export const defaults = {
  data: { corpus: 'tiny_tales', text_bytes: 60000 },
  tokenizer: { kind: 'characters' },
  optimizer: { kind: 'adamw', learning_rate: 0.001, beta1: 0.9, momentum: 0.9 },
  training: { steps: 100, seed: 1 },
  evaluation: { bytes: 2048, final_bytes: 8192, context: 0, prompt: 'Once' },
  downstream: { items: 100, seed: 1, every: 50 },
};

let serial = 0;

/**
 * `set`: options by path. `at`: the steps of its points; `bits`: bits per byte at each, of a number or a function of
 * the step. Its seconds are `pace` a step.
 */
export function run({
  set = {},
  base = defaults,
  at = [0, 50, 100],
  bits = 2,
  loss = 1.5,
  pace = 0.1,
  tokens = 256,
  accuracy = null,
  task = 'cloze',
  state = 'finished',
  plan = {},
  device = { kind: 'cpu', name: 'CPU', software: false, note: null },
  ...others
} = {}) {
  serial += 1;
  const config = structuredClone(base);
  for (const [path, value] of Object.entries(set)) {
    const [section, name] = path.split('.');
    config[section] = { ...config[section], [name]: value };
  }
  const of = (what) => column(at.map((step) => (typeof what === 'function' ? what(step) : what)));
  const places = {
    step: column(at),
    tokens: of((step) => step * tokens),
    seconds: of((step) => step * pace),
    flops: of((step) => step * 1e9),
  };
  return {
    id: `run-${serial}`,
    name: `run ${serial}`,
    created: serial,
    config,
    plan: {
      parameters: 100000,
      bytes: { total: 4e6 },
      optimizer_bytes_per_parameter: 8,
      vocabulary: 65,
      train_tokens: 54000,
      held_out_tokens: 6000,
      bytes_per_token: 1,
      ...plan,
    },
    device,
    state,
    message: null,
    sweep: null,
    train: {
      ...places,
      loss: of(loss),
      bits_per_byte: of(bits),
      learning_rate: of(0.001),
      grad_norm: of(1),
      tokens_per_second: of(tokens / pace),
    },
    validation: { ...places, loss: of(loss), bits_per_byte: of(bits) },
    scores:
      accuracy === null
        ? []
        : [
            {
              step: at.at(-1),
              tokens: at.at(-1) * tokens,
              seconds: at.at(-1) * pace,
              flops: at.at(-1) * 1e9,
              accuracy,
              standard_error: 0.05,
              tasks: [
                {
                  task,
                  items: 100,
                  accuracy,
                  standard_error: 0.05,
                  chance: 0.25,
                  accuracy_per_byte: accuracy,
                },
              ],
            },
          ],
    ...others,
  };
}

/** One run a value, with seeds from 1 on. */
export const seeds = (values, make) =>
  values.map((bits, index) => {
    const { set, ...others } = make ?? {};
    return run({ bits, ...others, set: { ...set, 'training.seed': index + 1 } });
  });
