// tokens[position + 1] is drawn from the logits, by temperature, top k and top p; beside it are left the likeliest
// tokens and the model's own probabilities. See `kernels::pick`. One workgroup.
//
// Nothing is sorted: which tokens are kept is said by a cut through the order of the logits, found bit by bit.

// Those whose key is above `key`, and the first `ties` of those at it.
struct Cut {
    key: u32,
    ties: u32,
}

var<workgroup> best: array<vec2u, WORKGROUP_X>; // (key, token)
var<workgroup> segments: array<vec2f, WORKGROUP_X>; // (weight above the cut, tokens at it)

// In the order of the logits, and never 0.
fn key_of(token: u32) -> u32 {
    let bits = bitcast<u32>(logits[token]);
    return select(bits | 0x80000000u, ~bits, bits >= 0x80000000u);
}

fn logit_of(key: u32) -> f32 {
    return bitcast<f32>(select(~key, key & 0x7fffffffu, key >= 0x80000000u));
}

fn likelier(a: vec2u, b: vec2u) -> bool {
    return a.x > b.x || (a.x == b.x && a.y < b.y);
}

// The likeliest token after `before`.
fn next_likeliest(before: vec2u, local: u32) -> vec2u {
    var own = vec2u(0u, 0xffffffffu);
    for (var v = local; v < VOCABULARY; v += WORKGROUP_X) {
        let candidate = vec2u(key_of(v), v);
        if (likelier(before, candidate) && likelier(candidate, own)) {
            own = candidate;
        }
    }
    best[local] = own;
    for (var half = WORKGROUP_X / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (local < half && likelier(best[local + half], best[local])) {
            best[local] = best[local + half];
        }
    }
    workgroupBarrier();
    let found = best[0];
    workgroupBarrier();
    return found;
}

// exp((logit − largest) / temperature), where far below 0 must not become −∞.
fn weigh(logit: f32, largest: f32, temperature: f32) -> f32 {
    return exp(max((logit - largest) / temperature, -80.0));
}

// Weight and number of the tokens whose key is `least` or more.
fn sums_from(least: u32, largest: f32, local: u32) -> vec2f {
    var own = vec2f();
    for (var v = local; v < VOCABULARY; v += WORKGROUP_X) {
        if (key_of(v) >= least) {
            own += vec2f(weigh(logits[v], largest, step.temperature), 1.0);
        }
    }
    return workgroup_sum(own, local);
}

// The `step.top_k` likeliest.
fn cut_top_k(largest: f32, local: u32) -> Cut {
    var key = 0u;
    for (var bit = 32u; bit > 0u; bit--) {
        let tried = key | (1u << (bit - 1u));
        if (sums_from(tried, largest, local).y >= f32(step.top_k)) {
            key = tried;
        }
    }
    return Cut(key, step.top_k - u32(sums_from(key + 1u, largest, local).y));
}

// Of what `cut` keeps, the fewest that weigh `step.top_p` of it.
fn cut_top_p(cut: Cut, largest: f32, local: u32) -> Cut {
    let at_cut = f32(cut.ties) * weigh(logit_of(cut.key), largest, step.temperature);
    let all = sums_from(cut.key + 1u, largest, local).x + select(at_cut, 0.0, cut.ties == 0u);
    let goal = max(step.top_p * all, 1.0e-30);
    var key = 0u;
    for (var bit = 32u; bit > 0u; bit--) {
        let tried = key | (1u << (bit - 1u));
        let weight = sums_from(tried, largest, local).x;
        if (select(weight, all, tried <= cut.key) >= goal) {
            key = tried;
        }
    }
    let above = sums_from(key + 1u, largest, local);
    let at = select(sums_from(key, largest, local).y - above.y, f32(cut.ties), key == cut.key);
    let wanted = (goal - above.x) / weigh(logit_of(key), largest, step.temperature);
    return Cut(key, u32(clamp(ceil(wanted), 1.0, at)));
}

// Draws from what `cut` keeps. An invocation sums SEGMENT neighbours of the vocabulary; one goes through the sums.
fn draw(cut: Cut, likeliest: u32, local: u32) -> u32 {
    let largest = logits[likeliest];
    var own = vec2f();
    for (var v = local * SEGMENT; v < min((local + 1u) * SEGMENT, VOCABULARY); v++) {
        let key = key_of(v);
        if (key > cut.key) {
            own.x += weigh(logits[v], largest, step.temperature);
        } else if (key == cut.key) {
            own.y += 1.0;
        }
    }
    segments[local] = own;
    workgroupBarrier();
    if (local != 0u) {
        return likeliest;
    }

    let tie_weight = weigh(logit_of(cut.key), largest, step.temperature);
    var total = 0.0;
    var ties = f32(cut.ties);
    for (var s = 0u; s < WORKGROUP_X; s++) {
        let taken = min(segments[s].y, ties);
        total += segments[s].x + select(taken * tie_weight, 0.0, taken == 0.0);
        ties -= taken;
    }
    let goal = total * step.draw;

    // First the segment in which the cumulative sum passes the goal, then the token.
    var sum = 0.0;
    var segment = 0u;
    ties = f32(cut.ties);
    for (; segment + 1u < WORKGROUP_X; segment++) {
        let taken = min(segments[segment].y, ties);
        let after = sum + segments[segment].x + select(taken * tie_weight, 0.0, taken == 0.0);
        if (after > goal) {
            break;
        }
        sum = after;
        ties -= taken;
    }
    for (var v = segment * SEGMENT; v < min((segment + 1u) * SEGMENT, VOCABULARY); v++) {
        let key = key_of(v);
        let tied = key == cut.key && ties > 0.0;
        if (key > cut.key || tied) {
            ties -= select(0.0, 1.0, tied);
            sum += weigh(logits[v], largest, step.temperature);
            if (sum > goal) {
                return v;
            }
        }
    }
    return likeliest;
}

@compute @workgroup_size(WORKGROUP_X)
fn main(@builtin(local_invocation_index) local: u32) {
//#if SOFT_CAP
    for (var v = local; v < VOCABULARY; v += WORKGROUP_X) {
        logits[v] = soft_cap(logits[v]);
    }
    storageBarrier();
    workgroupBarrier();
//#end
    var found = vec2u(0xffffffffu, 0u);
//#for i in CANDIDATES
    found = next_likeliest(found, local);
    let likeliest_$i = found.y;
//#end
    let largest = logits[likeliest_0];

    var own_total = 0.0;
    for (var v = local; v < VOCABULARY; v += WORKGROUP_X) {
        own_total += weigh(logits[v], largest, 1.0);
    }
    let total = workgroup_sum(vec2f(own_total, 0.0), local).x;

    var token = likeliest_0;
    if (step.temperature > 0.0) {
        var cut = Cut(0u, 0u);
        if (step.top_k > 0u && step.top_k < VOCABULARY) {
            cut = cut_top_k(largest, local);
        }
        if (step.top_p < 1.0) {
            cut = cut_top_p(cut, largest, local);
        }
        token = draw(cut, likeliest_0, local);
    }

    if (local == 0u) {
        tokens[step.position + 1u] = token;
        let row = step.position * (1u + CANDIDATES);
        probabilities[row] = weigh(logits[token], largest, 1.0) / total;
//#for i in CANDIDATES
        candidates[step.position * CANDIDATES + $iu] = likeliest_$i;
        probabilities[row + 1u + $iu] = weigh(logits[likeliest_$i], largest, 1.0) / total;
//#end
    }
}
