// A soft cap on logits: CAP · tanh(logit / CAP) (Gemma 2). What is not finite stays so, for the run to notice.
// The argument is clamped: beyond ±10 tanh is ±1 in f32, and some drivers overflow there.

fn soft_cap(logit: f32) -> f32 {
    return select(logit, CAP * tanh(clamp(logit / CAP, -10.0, 10.0)), finite(logit));
}

// The slope where the cap has made `capped` of a logit.
fn soft_cap_slope(capped: f32) -> f32 {
    let t = capped / CAP;
    return 1.0 - t * t;
}
