// square ← a I + b gram + c square for several square matrices, an element an invocation.

@compute @workgroup_size(WORKGROUP_X)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
    let i = linear(id, workgroups, WORKGROUP_X);
    if (i >= COUNT * SIDE * SIDE) {
        return;
    }
    let element = i % (SIDE * SIDE);
    let at = i / (SIDE * SIDE) * STRIDE + element;
    let identity = select(0.0, A, element / SIDE == element % SIDE);
    square[at] = identity + B * gram[at] + C * square[at];
}
