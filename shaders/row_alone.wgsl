// A row belongs to one invocation: for software adapters, where a barrier costs more than a row.

const STRIDE = 1u;

fn row_of(group: vec3u, groups: vec3u, local: u32) -> u32 {
    return linear(group, groups, 1u) * WORKGROUP_X + local;
}

fn first_column(local: u32) -> u32 {
    return 0u;
}

fn row_sum(mine: vec2f, local: u32) -> vec2f {
    return mine;
}

fn row_max(mine: f32, local: u32) -> f32 {
    return mine;
}

fn row_barrier() {}
