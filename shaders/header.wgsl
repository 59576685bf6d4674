// Joined to every shader. Mirrors `kernels::Step`.
struct Step {
    step: u32,
    position: u32,
    learning_rate: f32,
    correction1: f32,
    correction2: f32,
    temperature: f32,
    top_k: u32,
    top_p: f32,
    draw: f32,
    noise: u32,
    first_row: u32,
    seed: u32,
}

// The index of an invocation in a grid that was folded into two dimensions because one holds 65,535 workgroups at most.
fn linear(id: vec3u, workgroups: vec3u, workgroup_size: u32) -> u32 {
    return id.x + id.y * workgroups.x * workgroup_size;
}

// False for NaN and the infinities. By bits: compilers may assume that `v == v`.
fn finite(v: f32) -> bool {
    return (bitcast<u32>(v) & 0x7f800000u) != 0x7f800000u;
}
