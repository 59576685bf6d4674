// sums (S, W) = Σ_g shares (S, G, W), one invocation an element.

@compute @workgroup_size(WORKGROUP_X)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
    let index = linear(id, workgroups, WORKGROUP_X);
    if (index >= COUNT) {
        return;
    }
    let shares_of = index / WIDTH;
    let column = index % WIDTH;
    var sum = 0.0;
    for (var g = 0u; g < GROUPS; g++) {
        sum += shares[(shares_of * GROUPS + g) * WIDTH + column];
    }
//#if ACCUMULATE
    sums[index] += sum;
//#else
    sums[index] = sum;
//#end
}
