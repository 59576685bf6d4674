// The gradients of both embeddings. The first VOCABULARY · C/4 invocations own four neighbours of a token's row and
// sum dx over the rows where the token occurs; with trained POSITIONS the rest own a position's and sum over the batch.

@compute @workgroup_size(WORKGROUP_X)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
    let index = linear(id, workgroups, WORKGROUP_X);
    let c = index % WIDTH4;
    let row = index / WIDTH4;
    var sum = vec4f();
    if (row < VOCABULARY) {
        for (var i = starts[row]; i < starts[row + 1u]; i++) {
            sum += dx[order[i] * WIDTH4 + c];
        }
//#if ACCUMULATE_TOKENS
        dtoken[index] += sum;
//#else
        dtoken[index] = sum;
//#end
//#if POSITIONS
    } else if (row < VOCABULARY + CONTEXT) {
        let t = row - VOCABULARY;
//#if DOCUMENTS
        for (var i = position_starts[t]; i < position_starts[t + 1u]; i++) {
            sum += dx[position_order[i] * WIDTH4 + c];
        }
//#else
        for (var b = 0u; b < BATCH; b++) {
            sum += dx[(b * CONTEXT + t) * WIDTH4 + c];
        }
//#end
//#if ACCUMULATE_POSITIONS
        dposition[t * WIDTH4 + c] += sum;
//#else
        dposition[t * WIDTH4 + c] = sum;
//#end
//#end
    }
}
