// O = softmax(q Kᵀ / √D) V for one query, over the cache of the keys and values before and its own token's. One workgroup
// a head of queries, with an online softmax that begins with the own token and goes on with as many keys at a time as
// there are invocations, each of which scores one key and then sums some of the channels over all of these keys.

var<workgroup> scores: array<f32, WORKGROUP_X>;

@compute @workgroup_size(WORKGROUP_X)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let q = group.x * HEAD4;
    // Of the head of keys and values, in the cache's rows.
    let shared_head = group.x / SHARING * HEAD4;
    let k = WIDTH4 + shared_head;
    let v = k + CACHE4;
    let i = step.position;
    let slope = slope_of(group.x);
    // Of the heads that share them, the first hands them on.
    if (group.x % SHARING == 0u) {
        for (var c = local; c < HEAD4; c += WORKGROUP_X) {
            cache[i * 2u * CACHE4 + shared_head + c] = qkv[k + c];
            cache[(i * 2u + 1u) * CACHE4 + shared_head + c] = qkv[v + c];
        }
    }

    var max_score = 0.0;
    for (var d = 0u; d < HEAD4; d++) {
        max_score += dot(qkv[q + d], qkv[k + d]);
    }
    max_score *= SCALE;
    var sum = 1.0;
    var o: array<vec4f, OWN>;
    for (var own = 0u; own < OWN; own++) {
        o[own] = qkv[v + min(own * WORKGROUP_X + local, HEAD4 - 1u)];
    }
    for (var first = 0u; first < i; first += WORKGROUP_X) {
        let count = min(WORKGROUP_X, i - first);
        var score = 0.0;
        if (local < count) {
            let key = (first + local) * 2u * CACHE4 + shared_head;
            for (var d = 0u; d < HEAD4; d++) {
                score += dot(qkv[q + d], cache[key + d]);
            }
        }
        score = score * SCALE + score_bias(slope, i, first + local);
        // Nobody may write the scores before all are done with those of the keys before.
        workgroupBarrier();
        scores[local] = score;
        workgroupBarrier();
        var new_max = max_score;
        for (var n = 0u; n < count; n++) {
            new_max = max(new_max, scores[n]);
        }
        workgroupBarrier();
        scores[local] = exp(score - new_max);
        workgroupBarrier();

        let fade = exp(max_score - new_max);
        max_score = new_max;
        sum *= fade;
        for (var n = 0u; n < count; n++) {
            sum += scores[n];
        }
        for (var own = 0u; own < OWN; own++) {
            let c = own * WORKGROUP_X + local;
            if (c < HEAD4) {
                var values = o[own] * fade;
                for (var n = 0u; n < count; n++) {
                    values += scores[n] * cache[((first + n) * 2u + 1u) * CACHE4 + shared_head + c];
                }
                o[own] = values;
            }
        }
    }
    for (var own = 0u; own < OWN; own++) {
        let c = own * WORKGROUP_X + local;
        if (c < HEAD4) {
            out[q + c] = o[own] / sum;
        }
    }
}
