// x (B, T, C) = tok_emb[token] + pos_emb[t], one invocation four neighbours. DECODE: the row at `step.position` alone.

@compute @workgroup_size(WORKGROUP_X)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
    let index = linear(id, workgroups, WORKGROUP_X);
    if (index >= ROWS * WIDTH4) {
        return;
    }
    let c = index % WIDTH4;
//#if DECODE
    let t = step.position;
//#else
    let t = (index / WIDTH4) % CONTEXT;
//#end
    let b = index / (WIDTH4 * CONTEXT);
    let token = tokens[b * (CONTEXT + 1u) + t];
    x[index] = token_embedding[token * WIDTH4 + c] + position_embedding[t * WIDTH4 + c];
}
