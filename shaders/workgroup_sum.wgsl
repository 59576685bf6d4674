// Sums over the invocations of a workgroup (a power of two of them), the same bits in every run.

var<workgroup> slots: array<vec2f, WORKGROUP_X>;

// Every invocation gets the sum of all. Two numbers at a time, for they often come in pairs.
fn workgroup_sum(mine: vec2f, local: u32) -> vec2f {
    slots[local] = mine;
    for (var half = WORKGROUP_X / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (local < half) {
            slots[local] += slots[local + half];
        }
    }
    workgroupBarrier();
    let sum = slots[0];
    // Nobody may write the next sum's slots before all have read this one.
    workgroupBarrier();
    return sum;
}

// The same of the largest number.
fn workgroup_max(mine: f32, local: u32) -> f32 {
    slots[local].x = mine;
    for (var half = WORKGROUP_X / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (local < half) {
            slots[local].x = max(slots[local].x, slots[local + half].x);
        }
    }
    workgroupBarrier();
    let largest = slots[0].x;
    workgroupBarrier();
    return largest;
}
