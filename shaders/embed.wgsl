// x (B, T, C) = tok_emb[token], and POSITIONS adds a row of (T, C), with DOCUMENTS counted from each document's start; one invocation four neighbours. DECODE: the row at
// `step.position` alone.

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
    var sum = token_embedding[token * WIDTH4 + c];
//#if POSITIONS
//#if DOCUMENTS
    // Of its document.
    sum += position_embedding[(t - first_keys[b * CONTEXT + t]) * WIDTH4 + c];
//#else
    sum += position_embedding[t * WIDTH4 + c];
//#end
//#end
    x[index] = sum;
}
