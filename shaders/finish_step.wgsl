// metrics = [mean loss, gradient norm, halted, 0]; control = [clipping scale, halted, 0, 0]. One workgroup.

@compute @workgroup_size(WORKGROUP_X)
fn main(@builtin(local_invocation_index) local: u32) {
    var own = vec2f();
    for (var i = local; i < ROWS; i += WORKGROUP_X) {
        own.x += losses[i];
    }
    for (var i = local; i < PARTIALS; i += WORKGROUP_X) {
        own.y += partials[i];
    }
    let sums = workgroup_sum(own, local);
    if (local != 0u) {
        return;
    }
    let loss = sums.x / f32(LOSSES);
    let norm = sqrt(sums.y);
    if (!(finite(sums.x) && finite(sums.y))) {
        control[1] = 1.0;
    }
    var scale = 1.0;
//#if CLIPS
    if (norm > CLIP) {
        scale = CLIP / norm;
    }
//#end
    control[0] = scale;
    metrics[0] = loss;
    metrics[1] = norm;
    metrics[2] = control[1];
    metrics[3] = 0.0;
}
