// AdamW on a tensor whose moments are stored in 8 bits: a workgroup has a block of 256, an invocation four neighbours,
// which share an element of codes. See kernels/optimizer/dynamic_code.rs.

var<private> decades: array<f32, 7> = array<f32, 7>(1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0);

// The values of all codes: first the signed ones, then the unsigned.
var<workgroup> values: array<f32, 512>;
const SIGNED = 0u;
const UNSIGNED = 256u;

// Part `m − parts` of `parts` equal ones of [0.1, 1].
fn middle(m: u32, parts: u32) -> f32 {
    return 0.1 + 0.9 * ((f32(m - parts) + 0.5) / f32(parts));
}

fn signed_value(code: u32) -> f32 {
    if (code == 127u) {
        return 0.0;
    }
    if (code == 255u) {
        return 1.0;
    }
    let m = select(127u - code, code - 127u, code > 127u);
    let decade = firstLeadingBit(m);
    let value = middle(m, 1u << decade) * decades[decade];
    return select(-value, value, code > 127u);
}

fn unsigned_value(code: u32) -> f32 {
    if (code == 0u) {
        return 0.0;
    }
    if (code == 255u) {
        return 1.0;
    }
    let decade = firstLeadingBit(code + 1u);
    return middle(code + 1u, 1u << decade) * decades[decade - 1u];
}

// The code of the value nearest to x; of two that are as near, the upper.
fn nearest(kind: u32, x: f32) -> u32 {
    var low = 0u;
    for (var half = 128u; half > 0u; half /= 2u) {
        if (values[kind + low + half] <= x) {
            low += half;
        }
    }
    let high = min(low + 1u, 255u);
    return select(low, high, values[kind + high] - x <= x - values[kind + low]);
}

fn decode(kind: u32, codes: u32) -> vec4f {
    return vec4f(
        values[kind + (codes & 0xffu)],
        values[kind + ((codes >> 8u) & 0xffu)],
        values[kind + ((codes >> 16u) & 0xffu)],
        values[kind + (codes >> 24u)],
    );
}

fn encode(kind: u32, x: vec4f, scale: f32) -> u32 {
    var codes = 0u;
    for (var i = 0u; i < 4u; i++) {
        var code = nearest(kind, select(0.0, x[i] / scale, scale > 0.0));
        // A second moment that is not zero is not stored as zero.
        if (kind == UNSIGNED && code == 0u && x[i] > 0.0 && scale > 0.0) {
            code = 1u;
        }
        codes |= code << (8u * i);
    }
    return codes;
}

fn largest(x: vec4f) -> f32 {
    let magnitudes = abs(x);
    return max(max(magnitudes.x, magnitudes.y), max(magnitudes.z, magnitudes.w));
}

@compute @workgroup_size(WORKGROUP_X)
fn main(@builtin(workgroup_id) group_id: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
    let block = linear(group_id, groups, 1u);
    if (block >= BLOCKS) {
        return;
    }
    for (var code = local; code < 256u; code += WORKGROUP_X) {
        values[SIGNED + code] = signed_value(code);
        values[UNSIGNED + code] = unsigned_value(code);
    }
    workgroupBarrier();

    let i = block * WORKGROUP_X + local;
    let there = i < LEN4 && control[1] == 0.0;
    var new_m = vec4f();
    var new_v = vec4f();
    if (there) {
        let g = gradients[i] * control[0];
        let p = parameters[i];
        new_m = BETA1 * (decode(SIGNED, m[i]) * m_scale[block]) + REST1 * g;
        new_v = BETA2 * (decode(UNSIGNED, v[i]) * v_scale[block]) + REST2 * g * g;
        let direction = new_m / step.correction1 / (sqrt(new_v / step.correction2) + EPSILON);
        parameters[i] = p - step.learning_rate * (direction + DECAY * p);
    }
    // These wait for all: the old scales have been read by then.
    let m_largest = workgroup_max(largest(new_m), local);
    let v_largest = workgroup_max(largest(new_v), local);
    let new_m_scale = select(m_largest, 0.0, m_largest < TINY);
    let new_v_scale = select(v_largest, 0.0, v_largest < TINY);
    if (there) {
        m[i] = encode(SIGNED, new_m, new_m_scale);
        v[i] = encode(UNSIGNED, new_v, new_v_scale);
    }
    if (local == 0u && control[1] == 0.0) {
        m_scale[block] = new_m_scale;
        v_scale[block] = new_v_scale;
    }
}
