// A row belongs to a workgroup; each of its invocations has every WORKGROUP_X-th column.

const STRIDE = WORKGROUP_X;

fn row_of(group: vec3u, groups: vec3u, local: u32) -> u32 {
    return linear(group, groups, 1u);
}

fn first_column(local: u32) -> u32 {
    return local;
}

fn row_sum(mine: vec2f, local: u32) -> vec2f {
    return workgroup_sum(mine, local);
}

fn row_max(mine: f32, local: u32) -> f32 {
    return workgroup_max(mine, local);
}

// What the row's invocations have written, they may all read.
fn row_barrier() {
    storageBarrier();
    workgroupBarrier();
}
