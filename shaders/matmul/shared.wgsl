// C (M, N) = A · B over K. A workgroup brings blocks of A and B, DEPTH long along K, into workgroup memory; each of its
// invocations keeps a ROWS × COLUMNS tile of C in registers. The style that hardware likes.

const BLOCK_ROWS4 = ROWS4 * WORKGROUP_Y;
const BLOCK_COLUMNS4 = COLUMNS4 * WORKGROUP_X;
const INVOCATIONS = WORKGROUP_X * WORKGROUP_Y;

// (DEPTH, block rows): four neighbouring rows of A at one k.
var<workgroup> shared_a: array<vec4f, DEPTH * BLOCK_ROWS4>;
// (DEPTH, block columns): four neighbouring columns of B at one k.
var<workgroup> shared_b: array<vec4f, DEPTH * BLOCK_COLUMNS4>;

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y)
fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(local_invocation_id) local: vec3u,
    @builtin(local_invocation_index) index: u32,
) {
    let block_row = workgroup.y * BLOCK_ROWS4 * 4u;
    let block_column = workgroup.x * BLOCK_COLUMNS4 * 4u;
    let row = block_row + local.y * ROWS;
    let column = block_column + local.x * COLUMNS;
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

    for (var first = 0u; first < sizes.K; first += DEPTH) {
        for (var at = index; at < DEPTH / 4u * BLOCK_ROWS4; at += INVOCATIONS) {
//#if A_ALONG_K
            // Neighbours load along K, where the stored rows run.
            let k = at % (DEPTH / 4u) * 4u;
            let row4 = at / (DEPTH / 4u);
//#else
            let k = at / BLOCK_ROWS4 * 4u;
            let row4 = at % BLOCK_ROWS4;
//#end
            var block = mat4x4f();
            if (first + k < sizes.K) {
                block = transpose(block_a(block_row + row4 * 4u, first + k));
            }
//#for u in 4
            shared_a[(k + $uu) * BLOCK_ROWS4 + row4] = block[$u];
//#end
        }
        for (var at = index; at < DEPTH / 4u * BLOCK_COLUMNS4; at += INVOCATIONS) {
//#if B_ALONG_K
            let k = at % (DEPTH / 4u) * 4u;
            let column4 = at / (DEPTH / 4u);
//#else
            let k = at / BLOCK_COLUMNS4 * 4u;
            let column4 = at % BLOCK_COLUMNS4;
//#end
            var block = mat4x4f();
            if (first + k < sizes.K) {
                block = block_b(first + k, block_column + column4 * 4u);
            }
//#for u in 4
            shared_b[(k + $uu) * BLOCK_COLUMNS4 + column4] = block[$u];
//#end
        }
        workgroupBarrier();
        for (var k = 0u; k < DEPTH; k += 4u) {
//#for u in 4
//#for i in ROWS4
            let a_$u_$i = shared_a[(k + $uu) * BLOCK_ROWS4 + local.y * ROWS4 + $iu];
//#end
//#for j in COLUMNS4
            let b_$u_$j = shared_b[(k + $uu) * BLOCK_COLUMNS4 + local.x * COLUMNS4 + $ju];
//#for i in ROWS
            c_$i_$j = fma(vec4f(a_$u_$(i/4)[$(i%4)]), b_$u_$j, c_$i_$j);
//#end
//#end
//#end
//#if SUMS
            if (column == 0u) {
//#for i in ROWS
                sum_$i += vec4f(a_0_$(i/4)[$(i%4)], a_1_$(i/4)[$(i%4)], a_2_$(i/4)[$(i%4)], a_3_$(i/4)[$(i%4)]);
//#end
            }
//#end
        }
        workgroupBarrier();
    }

//#for i in ROWS
//#for j in COLUMNS4
    store(row + $iu, column + $ju * 4u, c_$i_$j);
//#end
//#end
//#if SUMS
    if (column == 0u) {
//#for i in ROWS
        store_sum(row + $iu, sum_$i);
//#end
    }
//#end
}
