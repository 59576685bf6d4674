// What trainlab exported, as the peers take it up. Runs in the browser.

/** {name: {shape, data}} of a safetensors file. */
async function read(url) {
  const bytes = await (await fetch(url)).arrayBuffer();
  const length = Number(new DataView(bytes).getBigUint64(0, true));
  const { __metadata__, ...header } = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 8, length)));
  const tensors = {};
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(header)) {
    const slice = bytes.slice(8 + length + data_offsets[0], 8 + length + data_offsets[1]);
    tensors[name] = { shape, data: dtype === 'F32' ? new Float32Array(slice) : new Int32Array(slice) };
  }
  return tensors;
}

/** The first parameters, and for each step its tokens and the tokens that follow them, (B·T) each. */
export async function workload(folder) {
  const parameters = await read(`${folder}/init.safetensors`);
  const { shape, data } = (await read(`${folder}/batches.safetensors`)).tokens; // (N, B, T+1)
  const [count, batch, length] = shape;
  const rows = (step) =>
    Array.from({ length: batch }, (_, b) => {
      const at = (step * batch + b) * length;
      return data.subarray(at, at + length);
    });
  const flat = (rows) => rows.flatMap((row) => [...row]);
  const batches = Array.from({ length: count }, (_, step) => ({
    tokens: flat(rows(step).map((row) => row.subarray(0, length - 1))),
    targets: flat(rows(step).map((row) => row.subarray(1))),
  }));
  return { parameters, batches };
}
