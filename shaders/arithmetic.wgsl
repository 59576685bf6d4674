// Multiply-adds in registers, CHAINS at a time.

@compute @workgroup_size(WORKGROUP_X)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
    let i = linear(id, workgroups, WORKGROUP_X);
    if (i >= LEN4) {
        return;
    }
    let v = x[i];
//#for j in CHAINS
    var c_$j = $(j+1).0 * v;
//#end
    for (var round = 0u; round < ROUNDS; round++) {
//#for j in CHAINS
        c_$j = fma(c_$j, v, v);
//#end
    }
    var sum = vec4f();
//#for j in CHAINS
    sum += c_$j;
//#end
    out[i] = sum;
}
