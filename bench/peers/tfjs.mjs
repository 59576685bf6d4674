// The workload in TensorFlow.js, WebGPU backend. Runs in the browser.

const load = (src) =>
  new Promise((done, failed) => {
    const script = Object.assign(document.createElement('script'), { src, onload: done, onerror: failed });
    document.head.append(script);
  });

export async function prepare({ config, parameters }) {
  await load('/node_modules/@tensorflow/tfjs/dist/tf.min.js');
  await load('/node_modules/@tensorflow/tfjs-backend-webgpu/dist/tf-backend-webgpu.min.js');
  const { tf } = globalThis;
  if (!(await tf.setBackend('webgpu'))) throw new Error('TensorFlow.js has no WebGPU here');
  await tf.ready();

  const { layers, width, heads, context } = config.model;
  const { learning_rate: rate, beta1, beta2, epsilon, weight_decay: decay } = config.optimizer;
  const batch = config.training.batch_size;
  const vocabulary = parameters['tok_emb.weight'].shape[0];
  const size = width / heads;
  const p = {};
  for (const [name, { shape, data }] of Object.entries(parameters))
    p[name] = tf.variable(tf.tensor(data, shape), true, name);
  const future = tf.tidy(() =>
    tf.linalg
      .bandPart(tf.ones([context, context]), -1, 0)
      .sub(1)
      .mul(1e9),
  );

  const linear = (x, name) => tf.matMul(x, p[`${name}.weight`], false, true).add(p[`${name}.bias`]);
  function norm(x, name) {
    const { mean, variance } = tf.moments(x, -1, true);
    const normal = x.sub(mean).mul(variance.add(1e-5).rsqrt());
    return normal.mul(p[`${name}.weight`]).add(p[`${name}.bias`]);
  }
  const gelu = (x) => {
    const inner = x
      .mul(x)
      .mul(0.044715)
      .add(1)
      .mul(x)
      .mul(Math.sqrt(2 / Math.PI));
    return x.mul(0.5).mul(inner.tanh().add(1));
  };
  const byHead = (x) =>
    x
      .reshape([batch, context, heads, size])
      .transpose([0, 2, 1, 3])
      .reshape([batch * heads, context, size]);

  function loss(tokens, oneHotTargets) {
    let x = tf
      .gather(p['tok_emb.weight'], tokens)
      .reshape([batch, context, width])
      .add(p['pos_emb.weight'])
      .reshape([batch * context, width]);
    for (let i = 0; i < layers; i++) {
      const block = `blocks.${i}`;
      const qkv = linear(norm(x, `${block}.norm1`), `${block}.attn.qkv`);
      const [q, k, v] = tf.split(qkv, 3, 1).map(byHead);
      const scores = tf.matMul(q, k, false, true).div(Math.sqrt(size)).add(future);
      const mixed = tf.matMul(tf.softmax(scores), v);
      const joined = mixed.reshape([batch, heads, context, size]).transpose([0, 2, 1, 3]);
      x = x.add(linear(joined.reshape([batch * context, width]), `${block}.attn.out`));
      const up = linear(norm(x, `${block}.norm2`), `${block}.mlp.up`);
      x = x.add(linear(gelu(up), `${block}.mlp.down`));
    }
    const logits = tf.matMul(norm(x, 'norm_f'), p['head.weight'], false, true);
    return tf
      .logSoftmax(logits)
      .mul(oneHotTargets)
      .sum()
      .div(-batch * context)
      .asScalar();
  }

  // The library's Adam, with decoupled decay of the matrices first.
  const adam = tf.train.adam(rate, beta1, beta2, epsilon);
  const variables = Object.values(p);

  /** Trains on one batch and waits for its end. */
  return async function step(_, tokens, targets) {
    const value = tf.tidy(() => {
      const x = tf.tensor1d(tokens, 'int32');
      const y = tf.oneHot(tf.tensor1d(targets, 'int32'), vocabulary).toFloat();
      const { value, grads } = tf.variableGrads(() => loss(x, y), variables);
      for (const variable of variables)
        if (variable.rank === 2) variable.assign(variable.mul(1 - rate * decay));
      adam.applyGradients(grads);
      return tf.keep(value);
    });
    const [number] = await value.data();
    await tf.backend().queue.onSubmittedWorkDone();
    value.dispose();
    return number;
  };
}
