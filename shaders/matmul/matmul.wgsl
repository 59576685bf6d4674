// C (M, N) = A · B over K. Each invocation keeps a TILE × TILE tile of C in registers and walks along K by four.
// The tile is unrolled in the text: compilers that do not unroll loops over private arrays would spill it to memory.

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let row = id.y * TILE;
    let column = id.x * TILE;
    if (row >= M || column >= N) {
        return;
    }
//#for i in TILE
//#for j in TILE4
    var c_$i_$j = vec4f();
//#end
//#end
//#if SUMS
//#for i in TILE
    var sum_$i = vec4f();
//#end
//#end

    for (var k = 0u; k < K; k += 4u) {
//#for j in TILE4
        let b_$j = block_b(k, column + $ju * 4u);
//#end
//#for j in TILE4
        let a_$j = block_a(row + $ju * 4u, k);
//#end
//#for i in TILE
//#for j in TILE4
        c_$i_$j += a_$(i/4)[$(i%4)].x * b_$j[0] + a_$(i/4)[$(i%4)].y * b_$j[1]
            + a_$(i/4)[$(i%4)].z * b_$j[2] + a_$(i/4)[$(i%4)].w * b_$j[3];
//#end
//#if SUMS
        sum_$i += a_$(i/4)[$(i%4)];
//#end
//#end
    }

//#for i in TILE
//#for j in TILE4
    store(row + $iu, column + $ju * 4u, c_$i_$j);
//#end
//#end
//#if SUMS
    if (column == 0u) {
//#for i in TILE
        if (row + $iu < M) {
//#if ACCUMULATE
            sums[row + $iu] += dot(sum_$i, vec4f(1.0));
//#else
            sums[row + $iu] = dot(sum_$i, vec4f(1.0));
//#end
        }
//#end
    }
//#end
}
