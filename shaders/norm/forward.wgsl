// y = (x − μ) · r · weight + bias, row by row.

@compute @workgroup_size(WORKGROUP_X)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
    let row = row_of(group, groups, local);
    if (row >= ROWS) {
        return;
    }
    let base = row * WIDTH;

    var mean = 0.0;
//#if LAYER_NORM
    var sum = 0.0;
    for (var c = first_column(local); c < WIDTH; c += STRIDE) {
        sum += x[base + c];
    }
    mean = row_sum(vec2f(sum, 0.0), local).x / f32(WIDTH);
//#end
    var squares = 0.0;
    for (var c = first_column(local); c < WIDTH; c += STRIDE) {
        let centred = x[base + c] - mean;
        squares += centred * centred;
    }
    let variance = row_sum(vec2f(squares, 0.0), local).x / f32(WIDTH);
    let r = 1.0 / sqrt(variance + EPSILON);

    for (var c = first_column(local); c < WIDTH; c += STRIDE) {
        var v = (x[base + c] - mean) * r * weight[c];
//#if HAS_BIAS
        v += bias[c];
//#end
        y[base + c] = v;
    }
    if (first_column(local) == 0u) {
        moments[row * 2u] = mean;
        moments[row * 2u + 1u] = r;
    }
}
