// tokens[position + 1] is drawn from softmax(logits[position] / temperature). One workgroup; an invocation owns SEGMENT
// neighbouring tokens of the vocabulary.

var<workgroup> best: array<vec2f, WORKGROUP_X>; // (logit, token)
var<workgroup> sums: array<f32, WORKGROUP_X>;

@compute @workgroup_size(WORKGROUP_X)
fn main(@builtin(local_invocation_index) local: u32) {
    let base = step.position * VOCABULARY;
    let begin = min(local * SEGMENT, VOCABULARY);
    let end = min(begin + SEGMENT, VOCABULARY);

    var own = vec2f(-3.0e38, 0.0);
    for (var v = begin; v < end; v++) {
        if (logits[base + v] > own.x) {
            own = vec2f(logits[base + v], f32(v));
        }
    }
    best[local] = own;
    workgroupBarrier();
    var top = best[0];
    for (var i = 1u; i < WORKGROUP_X; i++) {
        if (best[i].x > top.x) {
            top = best[i];
        }
    }
    if (step.temperature <= 0.0) {
        if (local == 0u) {
            tokens[step.position + 1u] = u32(top.y);
        }
        return;
    }

    var own_sum = 0.0;
    for (var v = begin; v < end; v++) {
        own_sum += exp((logits[base + v] - top.x) / step.temperature);
    }
    sums[local] = own_sum;
    workgroupBarrier();
    if (local != 0u) {
        return;
    }
    var total = 0.0;
    for (var i = 0u; i < WORKGROUP_X; i++) {
        total += sums[i];
    }
    let goal = total * step.draw;
    // First the segment in which the cumulative sum passes the goal, then the token.
    var sum = 0.0;
    var segment = 0u;
    while (segment + 1u < WORKGROUP_X && sum + sums[segment] <= goal) {
        sum += sums[segment];
        segment++;
    }
    var token = u32(top.y);
    for (var v = segment * SEGMENT; v < min((segment + 1u) * SEGMENT, VOCABULARY); v++) {
        sum += exp((logits[base + v] - top.x) / step.temperature);
        if (sum > goal) {
            token = v;
            break;
        }
    }
    tokens[step.position + 1u] = token;
}
