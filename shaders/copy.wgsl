// Each invocation copies EACH neighbours of a workgroup's stretch, so that the workgroup's loads lie side by side.

@compute @workgroup_size(WORKGROUP_X)
fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let first = (workgroup.x + workgroup.y * workgroups.x) * WORKGROUP_X * EACH + local;
//#for j in EACH
    if (first + $ju * WORKGROUP_X < LEN4) {
        copy[first + $ju * WORKGROUP_X] = source[first + $ju * WORKGROUP_X];
    }
//#end
}
