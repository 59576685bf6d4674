// ALiBi (Press et al. 2021, arXiv 2108.12409): the score of key j loses a slope for each position that it is behind
// query i. The distance comes first: it is exact, and small where the weights are large.

fn slope_of(head: u32) -> f32 {
    var slopes = SLOPES;
    return slopes[head];
}

fn score_bias(slope: f32, i: u32, j: u32) -> f32 {
    // Keys after the query are weighted zero: nothing is added that could overflow.
    return -slope * max(f32(i) - f32(j), 0.0);
}
