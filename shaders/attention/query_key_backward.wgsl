// The gradient of queries and keys on its way back, in place: turned back (TURN), then through the norm (NORM),
// dx = r · (g − x̂ · mean(g · x̂)) with g = dy · weight, x̂ = x r. A workgroup has the queries, or the keys, of a group of
// tokens. Its share of the weight's gradient, Σ dy · x̂, is summed column by column.

//#if NORM
var<workgroup> inverses: array<f32, MOST_ROWS>;
//#end

@compute @workgroup_size(WORKGROUP_X)
fn main(@builtin(workgroup_id) group_id: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
    let workgroup = linear(group_id, groups, 1u);
    if (workgroup >= 2u * GROUPS) {
        return;
    }
    let queries = workgroup < GROUPS;
    let group = workgroup % GROUPS;
    let heads = select(KV_HEADS, HEADS, queries);
    let first_head = select(HEADS, 0u, queries);
    let first_token = group * TOKENS_PER_GROUP;
    let rows = heads * (min(first_token + TOKENS_PER_GROUP, TOKENS) - first_token);

    for (var row = local; row < rows; row += WORKGROUP_X) {
        let token = first_token + row / heads;
        let head = first_head + row % heads;
        let at = token * TOKEN4 + head * HEAD4;
//#if TURN
        for (var d = 0u; d < HALF4; d++) {
            let turned = unrotate(mat2x4f(dqkv[at + d], dqkv[at + HALF4 + d]), token % CONTEXT, d);
            dqkv[at + d] = turned[0];
            dqkv[at + HALF4 + d] = turned[1];
        }
//#end
//#if NORM
        let source = (token * BOTH + head) * HEAD4;
        var sum = 0.0;
        for (var d = 0u; d < HEAD4; d++) {
            sum += dot(raw[source + d], raw[source + d]);
        }
        inverses[row] = 1.0 / sqrt(sum / f32(HEAD4 * 4u) + EPSILON);
//#end
    }
//#if NORM
    storageBarrier();
    workgroupBarrier();

    for (var d = local; d < SHARE4; d += WORKGROUP_X) {
        // What lies beyond the head is padding: it is summed into that of the gradients.
        var sum = vec4f();
        if (d < HEAD4) {
            for (var row = 0u; row < rows; row++) {
                let token = first_token + row / heads;
                let head = first_head + row % heads;
                sum += dqkv[token * TOKEN4 + head * HEAD4 + d] * raw[(token * BOTH + head) * HEAD4 + d] * inverses[row];
            }
        }
        shares[workgroup * SHARE4 + d] = sum;
    }
    storageBarrier();
    workgroupBarrier();

    for (var row = local; row < rows; row += WORKGROUP_X) {
        let token = first_token + row / heads;
        let head = first_head + row % heads;
        let at = token * TOKEN4 + head * HEAD4;
        let source = (token * BOTH + head) * HEAD4;
        let r = inverses[row];
        var mean = 0.0;
        for (var d = 0u; d < HEAD4; d++) {
            mean += dot(dqkv[at + d] * select(k_weight[d], q_weight[d], queries), raw[source + d] * r);
        }
        mean /= f32(HEAD4 * 4u);
        for (var d = 0u; d < HEAD4; d++) {
            let g = dqkv[at + d] * select(k_weight[d], q_weight[d], queries);
            dqkv[at + d] = r * (g - raw[source + d] * r * mean);
        }
    }
//#end
}
