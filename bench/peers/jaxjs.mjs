// The workload in jax-js. Runs in the browser; every array that is passed on is used up, `.ref` keeps one more use.

export async function prepare({ backend, config, parameters }) {
  const {
    numpy: np,
    nn,
    jit,
    valueAndGrad,
    tree,
    init,
    defaultDevice,
    blockUntilReady,
  } = await import('/node_modules/@jax-js/jax/dist/index.js');
  if (!(await init()).includes(backend)) throw new Error(`jax-js has no ${backend} here`);
  defaultDevice(backend);

  const { layers, width, heads, context } = config.model;
  const { learning_rate: rate, beta1, beta2, epsilon, weight_decay: decay } = config.optimizer;
  const batch = config.training.batch_size;
  const vocabulary = parameters['tok_emb.weight'].shape[0];
  const names = Object.keys(parameters);
  const fresh = (make) => Object.fromEntries(names.map((name) => [name, make(parameters[name])]));
  let weights = fresh(({ shape, data }) => np.array(new Float32Array(data), { shape }));
  let first = fresh(({ shape }) => np.zeros(shape));
  let second = fresh(({ shape }) => np.zeros(shape));

  function loss(p, tokens, targets) {
    const linear = (x, name) => np.matmul(x, p[`${name}.weight`].transpose()).add(p[`${name}.bias`]);
    const norm = (x, name) => nn.standardize(x, -1).mul(p[`${name}.weight`]).add(p[`${name}.bias`]);
    // A gather does not compile inside jit: a product with one-hot rows stands in for it.
    let x = np
      .matmul(nn.oneHot(tokens, vocabulary), p['tok_emb.weight'])
      .reshape([batch, context, width])
      .add(p['pos_emb.weight'])
      .reshape([batch * context, width]);
    for (let i = 0; i < layers; i++) {
      const block = `blocks.${i}`;
      const qkv = linear(norm(x.ref, `${block}.norm1`), `${block}.attn.qkv`);
      const split = np.split(qkv, 3, 1);
      const [q, k, v] = split.map((part) => part.reshape([batch, context, heads, width / heads]));
      const mixed = nn.dotProductAttention(q, k, v, { isCausal: true }).reshape([batch * context, width]);
      x = x.add(linear(mixed, `${block}.attn.out`));
      const up = linear(norm(x.ref, `${block}.norm2`), `${block}.mlp.up`);
      x = x.add(linear(nn.gelu(up, { approximate: true }), `${block}.mlp.down`));
    }
    const logits = np.matmul(norm(x, 'norm_f'), p['head.weight'].transpose());
    const picked = nn.logSoftmax(logits, -1).mul(nn.oneHot(targets, vocabulary));
    return picked.sum().mul(-1 / (batch * context));
  }

  const update = jit((weights, first, second, correction1, correction2, tokens, targets) => {
    const [value, gradients] = valueAndGrad(loss)(tree.ref(weights), tokens, targets);
    const next = { weights: {}, first: {}, second: {} };
    for (const name of names) {
      const g = gradients[name];
      const m = first[name].mul(beta1).add(g.ref.mul(1 - beta1));
      const v = second[name].mul(beta2).add(np.square(g).mul(1 - beta2));
      const size = np.sqrt(v.ref.mul(correction2.ref)).add(epsilon);
      const change = m.ref.mul(correction1.ref).div(size).mul(rate);
      const decayed =
        parameters[name].shape.length === 2 ? weights[name].mul(1 - rate * decay) : weights[name];
      next.weights[name] = decayed.sub(change);
      next.first[name] = m;
      next.second[name] = v;
    }
    correction1.dispose();
    correction2.dispose();
    return { ...next, value };
  });

  /** Trains on one batch and waits for its end. */
  return async function step(number, tokens, targets) {
    const [x, y] = [tokens, targets].map((ids) => np.array(new Int32Array(ids), { dtype: np.int32 }));
    const [correction1, correction2] = [beta1, beta2].map((beta) => np.array(1 / (1 - beta ** number)));
    const next = update(weights, first, second, correction1, correction2, x, y);
    ({ weights, first, second } = next);
    const [value] = await next.value.data();
    await blockUntilReady([weights, first, second]);
    return value;
  };
}
