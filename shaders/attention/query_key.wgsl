// Queries and keys on their way to attention, in place: NORM scales each head of each to a root mean square of 1, times
// a weight for each channel; TURN turns it by its position. KEEP leaves what came in for the backward pass. An invocation
// has one head of one token.

@compute @workgroup_size(WORKGROUP_X)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
    let index = linear(id, workgroups, WORKGROUP_X);
    if (index >= TOKENS * BOTH) {
        return;
    }
    let token = index / BOTH;
    // The heads of queries, then those of keys.
    let head = index % BOTH;
    let at = token * TOKEN4 + head * HEAD4;
//#if NORM
    var sum = 0.0;
    for (var d = 0u; d < HEAD4; d++) {
        let x = qkv[at + d];
        sum += dot(x, x);
//#if KEEP
        raw[index * HEAD4 + d] = x;
//#end
    }
    let r = 1.0 / sqrt(sum / f32(HEAD4 * 4u) + EPSILON);
    for (var d = 0u; d < HEAD4; d++) {
        qkv[at + d] *= r * select(k_weight[d], q_weight[d], head < HEADS);
    }
//#end
//#if TURN
//#if DECODE
    let position = step.position;
//#else
    let position = token % CONTEXT;
//#end
    for (var d = 0u; d < HALF4; d++) {
        let turned = rotate(mat2x4f(qkv[at + d], qkv[at + HALF4 + d]), position, d);
        qkv[at + d] = turned[0];
        qkv[at + HALF4 + d] = turned[1];
    }
//#end
}
