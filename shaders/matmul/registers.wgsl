// C (M, N) = A · B over K. Each invocation keeps a ROWS × COLUMNS tile of C in registers and walks along K by four.
// The tile is unrolled in the text: compilers that do not unroll loops over private arrays would spill it to memory.

//#if SLICED
// The sums of slices 1, 2, …, for slice 0 to add to its own.
const TILE_LEN = ROWS * COLUMNS4;
var<workgroup> partial: array<vec4f, (SLICES - 1u) * WORKGROUP_Y * WORKGROUP_X * TILE_LEN>;
//#if SUMS
var<workgroup> partial_sum: array<vec4f, (SLICES - 1u) * WORKGROUP_Y * ROWS>;
//#end
//#end

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y, SLICES)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_id) local: vec3u) {
    let row = id.y * ROWS;
    let column = id.x * COLUMNS;
    let inside = row < sizes.M && column < sizes.N;
//#if SLICED
    let first = local.z * sizes.SLICE;
    let end = select(first, min(first + sizes.SLICE, sizes.K), inside);
//#else
    if (!inside) {
        return;
    }
    let first = 0u;
    let end = sizes.K;
//#end
//#for i in ROWS
//#for j in COLUMNS4
    var c_$i_$j = vec4f();
//#end
//#end
//#if SUMS
//#for i in ROWS
    var sum_$i = vec4f();
//#end
//#end

    for (var k = first; k < end; k += 4u) {
//#for i in ROWS4
        let a_$i = block_a(row + $iu * 4u, k);
//#end
//#for j in COLUMNS4
        let b_$j = block_b(k, column + $ju * 4u);
//#for i in ROWS
        c_$i_$j = fma(vec4f(a_$(i/4)[$(i%4)].x), b_$j[0], c_$i_$j);
        c_$i_$j = fma(vec4f(a_$(i/4)[$(i%4)].y), b_$j[1], c_$i_$j);
        c_$i_$j = fma(vec4f(a_$(i/4)[$(i%4)].z), b_$j[2], c_$i_$j);
        c_$i_$j = fma(vec4f(a_$(i/4)[$(i%4)].w), b_$j[3], c_$i_$j);
//#end
//#end
//#if SUMS
        if (column == 0u) {
//#for i in ROWS
            sum_$i += a_$(i/4)[$(i%4)];
//#end
        }
//#end
    }

//#if SLICED
    let place = local.y * WORKGROUP_X + local.x;
    if (local.z > 0u) {
        let at = ((local.z - 1u) * WORKGROUP_Y * WORKGROUP_X + place) * TILE_LEN;
//#for i in ROWS
//#for j in COLUMNS4
        partial[at + $iu * COLUMNS4 + $ju] = c_$i_$j;
//#end
//#end
//#if SUMS
        if (column == 0u) {
//#for i in ROWS
            partial_sum[((local.z - 1u) * WORKGROUP_Y + local.y) * ROWS + $iu] = sum_$i;
//#end
        }
//#end
    }
    workgroupBarrier();
    if (local.z > 0u || !inside) {
        return;
    }
    for (var slice = 0u; slice < SLICES - 1u; slice++) {
        let at = (slice * WORKGROUP_Y * WORKGROUP_X + place) * TILE_LEN;
//#for i in ROWS
//#for j in COLUMNS4
        c_$i_$j += partial[at + $iu * COLUMNS4 + $ju];
//#end
//#end
//#if SUMS
        if (column == 0u) {
//#for i in ROWS
            sum_$i += partial_sum[(slice * WORKGROUP_Y + local.y) * ROWS + $iu];
//#end
        }
//#end
    }
//#end
    // The rows move up, one by one, to where the first is stored: the end of a product is long, and compilers take their
    // time over each copy of it.
    for (var i = 0u; i < ROWS; i++) {
//#for j in COLUMNS4
        store(row + i, column + $ju * 4u, c_0_$j);
//#end
//#for i in LAST_ROW
//#for j in COLUMNS4
        c_$i_$j = c_$(i+1)_$j;
//#end
//#end
//#if SUMS
        if (column == 0u) {
            store_sum(row + i, sum_0);
        }
//#for i in LAST_ROW
        sum_$i = sum_$(i+1);
//#end
//#end
    }
}
