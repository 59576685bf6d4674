// O = softmax(q Kᵀ / √D) V for one query, over the cache of all keys and values so far; those of its own token join
// them first. One workgroup a head, with an online softmax: as many keys at a time as there are invocations, each of
// which scores one key and then sums some of the channels over all of these keys.

var<workgroup> scores: array<f32, WORKGROUP_X>;

@compute @workgroup_size(WORKGROUP_X)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let head = group.x * HEAD4;
    let i = step.position;
    for (var c = local; c < HEAD4; c += WORKGROUP_X) {
        cache[i * 2u * WIDTH4 + head + c] = qkv[WIDTH4 + head + c];
        cache[(i * 2u + 1u) * WIDTH4 + head + c] = qkv[2u * WIDTH4 + head + c];
    }
    storageBarrier();

    var o: array<vec4f, OWN>;
    var max_score = -3.0e38;
    var sum = 0.0;
    for (var first = 0u; first <= i; first += WORKGROUP_X) {
        let count = min(WORKGROUP_X, i + 1u - first);
        var score = 0.0;
        if (local < count) {
            let key = (first + local) * 2u * WIDTH4 + head;
            for (var d = 0u; d < HEAD4; d++) {
                score += dot(qkv[head + d], cache[key + d]);
            }
        }
        score *= SCALE;
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
                    values += scores[n] * cache[((first + n) * 2u + 1u) * WIDTH4 + head + c];
                }
                o[own] = values;
            }
        }
    }
    for (var own = 0u; own < OWN; own++) {
        let c = own * WORKGROUP_X + local;
        if (c < HEAD4) {
            out[head + c] = o[own] / sum;
        }
    }
}
