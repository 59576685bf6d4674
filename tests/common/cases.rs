//! Every kernel at awkward shapes: sizes that are no multiple of a vector, a tile or a workgroup, single rows, and the
//! sizes around a boundary.

use trainlab::config::{Activation, Norm, OptimizerConfig, OptimizerKind, Position};
use trainlab::kernels::attention::{
    AttentionBackwardKeyValue, AttentionBackwardQuery, AttentionForward, AttentionShape,
};
use trainlab::kernels::attention_decode::AttentionDecode;
use trainlab::kernels::attention_stored::{AttentionMix, AttentionWeights};
use trainlab::kernels::ceiling::{Arithmetic, Copy};
use trainlab::kernels::cross_entropy::CrossEntropy;
use trainlab::kernels::dropout::{Dropout, Mask};
use trainlab::kernels::embedding::{Embed, EmbedBackward, EmbedShape, TokenIndex};
use trainlab::kernels::finish_step::FinishStep;
use trainlab::kernels::matmul::{ActivationEnd, Ends, Layout, MatMul};
use trainlab::kernels::norm::{NormBackward, NormForward};
use trainlab::kernels::optimizer::adafactor::{
    AdafactorApply, AdafactorColumns, AdafactorMeasure, AdafactorRows, Moment,
};
use trainlab::kernels::optimizer::adamw_8bit::AdamW8bit;
use trainlab::kernels::optimizer::curvature::{Curvature, DrawLabels};
use trainlab::kernels::optimizer::muon::{MuonApply, MuonMomentum, Normalise, Part, Polynomial};
use trainlab::kernels::optimizer::update::{self, Update};
use trainlab::kernels::pick::Pick;
use trainlab::kernels::position::Table;
use trainlab::kernels::query_key::{QueryKey, QueryKeyBackward};
use trainlab::kernels::reduce::{SquaredNorm, SumGroups};
use trainlab::kernels::soft_cap::SoftCap;
use trainlab::kernels::tiling::Tiling;
use trainlab::kernels::{Access, Kernel, Step};
use trainlab::random::{Random, Stream};

use super::{Case, random};

pub fn all() -> Vec<Case> {
    [
        matmul(Layout::NT),
        matmul(Layout::NN),
        matmul(Layout::TN),
        activations(),
        dropout(),
        norm_forward(),
        norm_backward(),
        attention_forward(),
        attention_backward_query(),
        attention_backward_key_value(),
        attention_decode(),
        attention_stored(),
        query_key(),
        query_key_backward(),
        embed(),
        embed_backward(),
        cross_entropy(),
        sum_groups(),
        squared_norm(),
        finish_step(),
        update(),
        adamw_8bit(),
        draw_labels(),
        curvature(),
        adafactor(),
        muon(),
        pick(),
        arithmetic(),
        copy(),
    ]
    .concat()
}

/// All eight ways in which M, N and K are or are not multiples of 4, each end with each way of storing C, and every
/// tiling.
pub fn matmul(layout: Layout) -> Vec<Case> {
    let product = |[m, n, k]: [usize; 3], ends: Ends| {
        let case = Case::new(MatMul::new(layout, m, n, k).with(ends)).scaled("a", 4.0 / (k as f64).sqrt());
        // Far beyond where GELU is curved, to both sides.
        if matches!(ends.activation, ActivationEnd::Backward(_)) { case.scaled("pre", 6.0) } else { case }
    };
    let ends =
        |accumulate, bias, activation, residual| Ends { accumulate, bias, activation, residual, ..Ends::default() };
    let forward = ActivationEnd::Forward(Activation::GeluTanh);
    let backward = ActivationEnd::Backward(Activation::GeluTanh);
    let none = ActivationEnd::None;

    let sums = layout == Layout::TN;
    let plain = Ends { sums, ..Ends::default() };
    let added = Ends { sums, ..ends(true, false, none, false) };
    let mut cases = vec![];
    for shape in [[1, 1, 1], [257, 1, 65], [1, 257, 3], [65, 20, 8], [12, 33, 8], [12, 20, 7], [65, 33, 8]] {
        cases.push(product(shape, plain));
    }
    for shape in [[65, 20, 7], [12, 33, 7], [65, 33, 7], [12, 20, 8]] {
        cases.push(product(shape, added));
    }
    // More than one block of the CPU device's in each direction.
    cases.push(product([98, 770, 258], plain));
    // What is no number stays in its row and column: what is read beyond the end of another row must not count.
    // K is long enough for no driver to unroll the loop over it and drop what is multiplied by zero.
    let k = 131;
    let mut case = product([5, 6, k], Ends::default());
    let (a, b) = match layout {
        Layout::NT => (k, 2 * k),
        Layout::NN => (k, 2),
        Layout::TN => (1, 2),
    };
    for (name, at) in [("a", a), ("b", b)] {
        let mut numbers = case.input(name).to_vec();
        numbers[at] = f64::NAN;
        case = case.with(name, numbers);
    }
    cases.push(case.clone());
    // The same where blocks of workgroup memory reach beyond K.
    let shared = Tiling::all().find(|tiling| tiling.shared).expect("some tilings share");
    cases.push(with_tiling(case, shared));
    // How C is finished does not depend on the layout: the whole list once, all of it together for each.
    let all = |activation| Ends { sums, ..ends(true, true, activation, true) };
    if layout == Layout::NT {
        for shape in [[13, 36, 64], [13, 35, 63]] {
            cases.push(product(shape, ends(false, true, none, false)));
            cases.push(product(shape, ends(false, true, forward, false)));
            cases.push(product(shape, ends(false, false, backward, false)));
            cases.push(product(shape, ends(false, true, none, true)));
            cases.push(product(shape, all(forward)));
        }
    }
    cases.push(product([13, 35, 63], all(backward)));
    // Every way of cutting C up: less than a block and more than one, with and without a remainder along K.
    for tiling in Tiling::all() {
        let [rows, columns] = tiling.block();
        cases.push(with_tiling(product([rows + 3, columns + 4, 36], all(backward)), tiling));
        // Compilers of software adapters take their time: in the browser the even sizes will do.
        if tiling.tile[0] <= 8 && !cfg!(target_arch = "wasm32") {
            cases.push(with_tiling(product([rows / 2 + 1, columns + 5, 67], added), tiling));
        }
    }
    cases
}

pub const ACTIVATIONS: [Activation; 9] = [
    Activation::Relu,
    Activation::SquaredRelu,
    Activation::Gelu,
    Activation::GeluTanh,
    Activation::Silu,
    Activation::Glu,
    Activation::Reglu,
    Activation::Geglu,
    Activation::Swiglu,
];

/// A product that ends with each activation, forward and backward, with each way of storing C; in the flat and in the
/// curved part of each function, and at 0.
pub fn activations() -> Vec<Case> {
    let mut cases = vec![];
    for activation in ACTIVATIONS {
        for (n, wide) in [(36, false), (35, false), (36, true)] {
            let forward = Ends { bias: true, activation: ActivationEnd::Forward(activation), ..Ends::default() };
            let backward = Ends { activation: ActivationEnd::Backward(activation), ..Ends::default() };
            for (layout, ends) in [(Layout::NT, forward), (Layout::NN, backward)] {
                let case = Case::new(MatMul::new(layout, 13, n, 8).with(ends)).scaled("a", 2.0);
                // What the function is asked about: the product itself, or one of these.
                let names = case.kernel.bindings().into_iter().filter(|binding| binding.access == Access::Read);
                let asked = names.map(|binding| binding.name).rfind(|&name| name == "pre" || name == "gate");
                cases.push(match asked {
                    None => case.scaled("a", if wide { 10.0 } else { 1.0 }),
                    Some(name) => {
                        let case = case.scaled(name, if wide { 90.0 } else { 6.0 });
                        let mut numbers = case.input(name).to_vec();
                        numbers[5] = 0.0;
                        case.with(name, numbers)
                    }
                });
            }
        }
    }
    cases
}

/// Little and much dropped, before and after the ends that surround it; the rows of a later micro-batch.
pub fn dropout() -> Vec<Case> {
    let step = Step { noise: 0x8765_4321, first_row: 70, ..Step::default() };
    let mut cases = vec![];
    for (site, share, rows, width) in [(0, 0.1, 1, 4), (1, 0.5, 33, 20), (7, 0.9, 130, 96)] {
        let mask = Mask::new(site, share).expect("some is dropped");
        cases.push(Case::new(Dropout { mask, rows, width }).at(step));
        for width in [width, width + 1] {
            let ends = Ends { bias: true, dropout: Some(mask), residual: true, ..Ends::default() };
            cases.push(Case::new(MatMul::new(Layout::NT, rows, width, 12).with(ends)).at(step));
        }
    }
    // More workgroups than one dimension of a grid holds.
    let mask = Mask::new(3, 0.3).expect("some is dropped");
    cases.push(Case::new(Dropout { mask, rows: 65_537, width: 256 }).at(step));
    cases
}

pub fn with_tiling(mut case: Case, tiling: Tiling) -> Case {
    let Kernel::MatMul(product) = &mut case.kernel else { panic!("{} is no product", case.kernel.name()) };
    product.tiling = tiling;
    case
}

pub fn arithmetic() -> Vec<Case> {
    [(4, 1), (260, 7), (1028, 64)].map(|(len, rounds)| Case::new(Arithmetic { len, rounds }).scaled("x", 0.9)).to_vec()
}

pub fn copy() -> Vec<Case> {
    [4, 1020, 1028].map(|len| Case::new(Copy { len })).to_vec()
}

pub fn norm_forward() -> Vec<Case> {
    let mut cases = vec![];
    for norm in [Norm::LayerNorm, Norm::RmsNorm] {
        for (rows, width, alone) in
            [(1, 4, false), (33, 20, false), (17, 96, false), (3, 260, false), (33, 20, true), (3, 260, true)]
        {
            let case = Case::new(NormForward { alone, ..NormForward::new(norm, rows, width) });
            // A mean far from zero: squares must be summed about it.
            let x: Vec<f64> = case.input("x").iter().map(|x| 5.0 + x).collect();
            cases.push(case.with("x", x));
        }
    }
    // More workgroups than one dimension of a grid holds.
    cases.push(Case::new(NormForward::new(Norm::RmsNorm, 65_537, 1)));
    for alone in [false, true] {
        cases.push(Case::new(NormForward { bias: false, alone, ..NormForward::new(Norm::LayerNorm, 33, 20) }));
    }
    cases
}

pub fn norm_backward() -> Vec<Case> {
    let mut cases = vec![];
    for (norm, bias) in [(Norm::LayerNorm, true), (Norm::LayerNorm, false), (Norm::RmsNorm, false)] {
        for (rows, width, accumulate) in [(1, 4, false), (33, 20, true), (17, 96, false), (3, 260, true)] {
            for alone in [false, true] {
                let forward = Case::new(NormForward { bias, ..NormForward::new(norm, rows, width) });
                let backward = NormBackward { bias, alone, ..NormBackward::new(norm, rows, width, accumulate) };
                let case = Case::new(backward);
                let x = forward.input("x");
                cases.push(case.with("moments", forward.output("moments")).with("x", x));
            }
        }
    }
    cases
}

/// Every head size with lengths around the twins' tile of 64 rows and the shader's four keys at a time; several
/// rows an invocation, with and without a remainder; groups of heads that share keys and values; and ALiBi, with numbers
/// of heads that are and are no powers of two.
fn attention_shapes() -> Vec<AttentionShape> {
    let shape = |(batch, heads, head_size, context)| AttentionShape::new(batch, context, heads, head_size);
    let shapes = [(1, 3, 4, 130), (3, 2, 8, 1), (1, 2, 16, 63), (2, 3, 32, 2), (1, 1, 64, 64)];
    let several = [(4, (2, 2, 32, 5)), (2, (1, 2, 64, 33)), (4, (1, 1, 4, 1))];
    let several = several.map(|(rows_each, sizes)| AttentionShape { rows_each, ..shape(sizes) });
    let grouped =
        |(rows_each, kv_heads, position, sizes)| AttentionShape { rows_each, kv_heads, position, ..shape(sizes) };
    let (alibi, none) = (Position::Alibi, Position::None);
    let grouped = [
        (1, 2, alibi, (1, 6, 8, 257)),
        (1, 1, none, (2, 4, 16, 65)),
        (1, 1, alibi, (1, 2, 128, 65)),
        (1, 3, alibi, (2, 3, 4, 2)),
        (4, 2, alibi, (2, 4, 16, 67)),
        (4, 1, none, (1, 3, 8, 64)),
    ]
    .map(grouped);
    shapes.map(shape).into_iter().chain(several).chain(grouped).collect()
}

/// Rows of several documents: single tokens, boundaries at and around the twins' tiles and the shader's keys, one document
/// that fills its row, padding at the end; other boundaries in each sequence.
fn packed_shapes() -> Vec<AttentionShape> {
    let shape = |(rows_each, kv_heads, position, (batch, heads, head_size, context))| AttentionShape {
        rows_each,
        kv_heads,
        position,
        documents: true,
        ..AttentionShape::new(batch, context, heads, head_size)
    };
    let (alibi, none) = (Position::Alibi, Position::None);
    let shapes = [
        (1, 2, none, (3, 2, 8, 13)),
        (1, 1, alibi, (2, 2, 4, 130)),
        (1, 3, none, (4, 3, 4, 65)),
        (4, 2, alibi, (3, 4, 16, 67)),
        (2, 1, none, (2, 3, 8, 30)),
        (4, 1, none, (1, 1, 4, 1)),
    ];
    shapes.map(shape).to_vec()
}

/// The first key that each query of (B, T) sees, where documents have lengths that no two sequences share.
pub fn first_keys(batch: usize, context: usize) -> Vec<u32> {
    let lengths: [&[usize]; 4] = [&[1, 4, 2, 5, 1, 1, 17], &[9000], &[61, 3, 1, 1], &[5, 64, 1]];
    let mut all = vec![];
    for b in 0..batch {
        let mut lengths = lengths[b % 4].iter().copied().cycle();
        let (mut first, mut end) = (0, lengths.next().expect("a cycle goes on"));
        for t in 0..context {
            if t == end {
                (first, end) = (t, t + lengths.next().expect("a cycle goes on"));
            }
            // The last few of some sequences are padding.
            let padding = b % 2 == 1 && t + 3 >= context;
            all.push(if padding { t } else { first } as u32);
        }
    }
    all
}

/// With documents, where the shape has some.
pub fn with_documents(case: Case, shape: AttentionShape) -> Case {
    if shape.documents { case.with_ids("first_keys", &first_keys(shape.batch, shape.context)) } else { case }
}

pub fn all_attention_shapes() -> Vec<AttentionShape> {
    attention_shapes().into_iter().chain(packed_shapes()).collect()
}

pub fn attention_forward() -> Vec<Case> {
    let forward = |shape| with_documents(Case::new(AttentionForward(shape)).scaled("qkv", 2.0), shape);
    let mut cases: Vec<Case> = all_attention_shapes().into_iter().map(forward).collect();
    // Large scores: without the running maximum, exponentials would overflow.
    let shape = AttentionShape::new(1, 33, 2, 8);
    cases.push(Case::new(AttentionForward(shape)).scaled("qkv", 12.0));
    cases
}

/// What the forward pass leaves to the backward one.
pub fn backward_query(forward: &Case, shape: AttentionShape) -> Case {
    with_documents(Case::new(AttentionBackwardQuery(shape)), shape)
        .with("qkv", forward.input("qkv"))
        .with("out", forward.output("out"))
        .with("log_sum", forward.output("log_sum"))
}

pub fn backward_key_value(query: &Case, shape: AttentionShape) -> Case {
    let case = with_documents(Case::new(AttentionBackwardKeyValue(shape)), shape);
    let mut case = case.with("delta", query.output("delta"));
    for name in ["dout", "qkv", "log_sum"] {
        case = case.with(name, query.input(name));
    }
    case
}

pub fn attention_backward_query() -> Vec<Case> {
    attention_forward()
        .iter()
        .zip(all_attention_shapes())
        .map(|(forward, shape)| backward_query(forward, shape))
        .collect()
}

pub fn attention_backward_key_value() -> Vec<Case> {
    let queries = attention_backward_query();
    queries.iter().zip(all_attention_shapes()).map(|(query, shape)| backward_key_value(query, shape)).collect()
}

/// The weights, and the sums of values by them.
pub fn attention_stored() -> Vec<Case> {
    let mut cases = vec![];
    for shape in attention_shapes() {
        let weights = Case::new(AttentionWeights(shape)).scaled("qkv", 2.0);
        let mix = Case::new(AttentionMix(shape)).with("weights", weights.output("weights"));
        cases.extend([weights, mix]);
    }
    cases
}

/// The first and the last positions, and those around the shader's 64 keys at a time; more channels in a head than
/// invocations in a workgroup.
pub fn attention_decode() -> Vec<Case> {
    let case = |(heads, head_size, context, position): (usize, usize, usize, u32), scale: f64| {
        let shape = AttentionShape::new(1, context, heads, head_size);
        let case = Case::new(AttentionDecode(shape)).scaled("qkv", scale).scaled("cache", scale);
        case.at(Step { position, ..Step::default() })
    };
    let shapes = [(3, 4, 130, 129), (2, 8, 1, 0), (2, 16, 70, 62), (2, 16, 70, 63), (3, 32, 70, 64), (1, 260, 5, 3)];
    let mut cases: Vec<Case> = shapes.into_iter().map(|shape| case(shape, 2.0)).collect();
    // Large scores: without the running maximum, exponentials would overflow.
    cases.push(case((2, 8, 133, 131), 12.0));
    // Heads that share keys and values, and ALiBi.
    for (kv_heads, position, sizes) in [
        (2, Position::None, (6, 8, 70, 65)),
        (1, Position::Alibi, (6, 4, 200, 199)),
        (3, Position::Alibi, (3, 16, 70, 63)),
        (1, Position::Alibi, (2, 260, 3, 0)),
    ] {
        let (heads, head_size, context, token) = sizes;
        let shape = AttentionShape { kv_heads, position, ..AttentionShape::new(1, context, heads, head_size) };
        let case = Case::new(AttentionDecode(shape)).scaled("qkv", 2.0).scaled("cache", 2.0);
        cases.push(case.at(Step { position: token, ..Step::default() }));
    }
    cases
}

/// Turned, normed, and both: (batch, heads, kv_heads, D, T).
fn query_key_shapes() -> Vec<(AttentionShape, bool)> {
    let shape = |position, (batch, heads, kv_heads, head_size, context)| AttentionShape {
        kv_heads,
        position,
        ..AttentionShape::new(batch, context, heads, head_size)
    };
    let turned = [(1, 3, 1, 8, 257), (2, 2, 2, 16, 63), (1, 1, 1, 64, 65), (3, 4, 2, 32, 1)];
    let normed = [(1, 3, 3, 4, 17), (2, 4, 1, 20, 64), (1, 6, 2, 128, 2)];
    let both = [(1, 5, 5, 8, 64), (3, 6, 3, 24, 33), (1, 2, 1, 128, 65), (1, 65, 13, 8, 1), (2, 1, 1, 264, 2)];
    let cases = turned.map(|sizes| (shape(Position::Rope, sizes), false)).into_iter();
    let cases = cases.chain(normed.map(|sizes| (shape(Position::None, sizes), true)));
    cases.chain(both.map(|sizes| (shape(Position::Rope, sizes), true))).collect()
}

/// With the table that turns need.
pub fn with_turns(case: Case, shape: AttentionShape) -> Case {
    if shape.position != Position::Rope {
        return case;
    }
    let (context, head_size) = (shape.context, shape.head_size);
    case.with("turns", Table::Turns { context, head_size, base: 10_000.0, interpolation: 1.0 }.values())
}

pub fn query_key() -> Vec<Case> {
    let mut cases = vec![];
    for (i, (shape, norm)) in query_key_shapes().into_iter().enumerate() {
        let case =
            |keep, decode| with_turns(Case::new(QueryKey { shape, norm, keep, decode }), shape).scaled("qkv", 3.0);
        let position = shape.context as u32 - 1;
        cases.push(case(norm && i % 3 > 0, false));
        if i % 3 == 0 {
            cases.push(case(false, true).at(Step { position, ..Step::default() }));
        }
    }
    cases
}

pub fn query_key_backward() -> Vec<Case> {
    let case = |(shape, norm)| with_turns(Case::new(QueryKeyBackward { shape, norm }), shape);
    query_key_shapes().into_iter().map(case).collect()
}

fn embed_shapes() -> Vec<EmbedShape> {
    let shape = |(batch, context, vocabulary, width)| EmbedShape { batch, context, vocabulary, width };
    [(1, 1, 3, 4), (3, 5, 7, 20), (2, 65, 65, 36), (1, 3, 1000, 260)].map(shape).to_vec()
}

/// The lower half of the vocabulary only, low tokens more often than high ones.
pub fn tokens(shape: EmbedShape) -> Vec<u32> {
    let mut random = Random::new(1, Stream::Other(0));
    let present = shape.vocabulary as f32 / 2.0 + 0.6;
    (0..shape.tokens_len()).map(|_| (random.uniform() * random.uniform() * present) as u32).collect()
}

pub fn embed() -> Vec<Case> {
    let kernel = |shape, positions, decode| Embed { shape, positions, documents: false, decode };
    let case =
        |shape, positions, decode| Case::new(kernel(shape, positions, decode)).with_ids("tokens", &tokens(shape));
    let mut cases = vec![];
    for positions in [true, false] {
        cases.extend(embed_shapes().into_iter().map(|shape| case(shape, positions, false)));
        for (context, position) in [(1, 0), (7, 6), (7, 2)] {
            let shape = EmbedShape { batch: 1, context, vocabulary: 7, width: 260 };
            cases.push(case(shape, positions, true).at(Step { position, ..Step::default() }));
        }
    }
    for shape in embed_shapes() {
        let case = Case::new(Embed { documents: true, ..kernel(shape, true, false) });
        let first_keys = first_keys(shape.batch, shape.context);
        cases.push(case.with_ids("tokens", &tokens(shape)).with_ids("first_keys", &first_keys));
    }
    cases
}

pub fn embed_backward() -> Vec<Case> {
    let mut cases = vec![];
    for shape in embed_shapes() {
        for (accumulate_tokens, positions, accumulate_positions) in
            [(false, true, false), (true, true, false), (true, true, true), (true, false, false), (false, false, true)]
        {
            let mut index = TokenIndex::new(shape);
            index.fill(shape, &tokens(shape));
            let kernel = EmbedBackward { shape, accumulate_tokens, positions, documents: false, accumulate_positions };
            let with = |case: Case| case.with_ids("starts", &index.starts).with_ids("order", &index.order);
            cases.push(with(Case::new(kernel.clone())));
            if positions {
                let mut sorted = TokenIndex::of_positions(shape);
                sorted.fill_positions(shape, &first_keys(shape.batch, shape.context));
                let case = with(Case::new(EmbedBackward { documents: true, ..kernel }));
                let case = case.with_ids("position_starts", &sorted.starts);
                cases.push(case.with_ids("position_order", &sorted.order));
            }
        }
    }
    cases
}

/// All rows at once and a chunk from the middle, with and without a gradient; each option alone, and all of them.
pub fn cross_entropy() -> Vec<Case> {
    let mut cases = vec![];
    let case = |vocabulary: usize, scale: f64, (first_row, rows, alone), gradient_scale: Option<f32>, options| {
        let (batch, context) = (3, 5);
        let (label_smoothing, z_loss, cap) = options;
        let soft_cap = SoftCap::new(cap);
        // Only training adds losses up.
        let accumulate = gradient_scale == Some(1.0);
        let kernel = CrossEntropy {
            batch,
            context,
            vocabulary,
            first_row,
            rows,
            gradient_scale,
            label_smoothing,
            z_loss,
            soft_cap,
            weights: false,
            accumulate,
            // Only validation asks for them.
            margins: gradient_scale.is_none(),
            alone,
        };
        let mut random = Random::new(2, Stream::Other(0));
        let tokens: Vec<u32> = (0..batch * (context + 1)).map(|_| random.below(vocabulary as u32)).collect();
        Case::new(kernel).with_ids("tokens", &tokens).scaled("logits", scale)
    };
    for (vocabulary, scale) in [(3, 1.0), (65, 80.0), (1000, 5.0)] {
        for rows in [(0, 15, false), (4, 7, false), (0, 15, true)] {
            for gradient_scale in [None, Some(1.0), Some(1.0 / 15.0)] {
                cases.push(case(vocabulary, scale, rows, gradient_scale, (0.0, 0.0, 0.0)));
            }
        }
    }
    for options in [(0.1, 0.0, 0.0), (0.0, 0.01, 0.0), (0.0, 0.0, 30.0), (0.3, 0.02, 2.0)] {
        for (vocabulary, rows, gradient_scale) in
            [(3, (0, 15, false), None), (65, (4, 7, true), Some(1.0)), (257, (0, 15, false), Some(1.0 / 15.0))]
        {
            cases.push(case(vocabulary, 8.0, rows, gradient_scale, options));
        }
    }
    // Rows that count for nothing among others, alone and in workgroups, from the first row on and from a later one.
    for (vocabulary, rows, gradient_scale, options) in [
        (3, (0, 15, false), Some(1.0 / 15.0), (0.0, 0.0, 0.0)),
        (65, (4, 7, true), Some(1.0), (0.3, 0.02, 2.0)),
        (257, (4, 7, false), Some(1.0), (0.1, 0.0, 0.0)),
    ] {
        let mut case = case(vocabulary, 8.0, rows, gradient_scale, options);
        let Kernel::CrossEntropy(kernel) = &case.kernel else { panic!("cross-entropy") };
        let kernel = CrossEntropy { weights: true, ..kernel.clone() };
        let weights: Vec<f64> =
            (0..kernel.rows).map(|row| if row % 3 == 1 { 0.0 } else { 0.05 * row as f64 }).collect();
        let tokens = case.inputs[0].ids().to_vec();
        case = Case::new(kernel).with_ids("tokens", &tokens).scaled("logits", 8.0).with("weights", weights);
        cases.push(case);
    }
    cases
}

pub fn sum_groups() -> Vec<Case> {
    let case = |(sets, groups, width, accumulate)| Case::new(SumGroups { sets, groups, width, accumulate });
    // The last has more invocations than one dimension of a grid holds.
    let all = [(1, 1, 1, false), (3, 5, 33, true), (2, 17, 192, false), (5, 2, 64, true), (1, 1, 64 * 65_536, false)];
    all.map(case).to_vec()
}

pub fn squared_norm() -> Vec<Case> {
    [4, 260, 4096, 4100, 12_352].map(|len| Case::new(SquaredNorm { len })).to_vec()
}

/// Losses, partial sums, and what the step before left in `control`.
fn finish(clip_norm: Option<f32>, losses: Vec<f64>, partials: Vec<f64>, halted: bool) -> Case {
    let micro_batches = 1 + losses.len() % 3;
    let weighted = losses.len() == 257;
    let kernel = FinishStep { rows: losses.len(), micro_batches, weighted, partials: partials.len(), clip_norm };
    let halted = if halted { 1.0 } else { 0.0 };
    Case::new(kernel).with("losses", losses).with("partials", partials).with("control", [0.5, halted, 0.0, 0.0])
}

pub fn finish_step() -> Vec<Case> {
    let positive = |seed, len| random(seed, len, 1.0).into_iter().map(f64::abs).collect::<Vec<f64>>();
    let with = |mut values: Vec<f64>, at: usize, value: f64| {
        values[at] = value;
        values
    };
    let (losses, partials) = (positive(1, 1000), positive(2, 300));
    let mut cases = vec![
        finish(None, vec![3.0], vec![16.0], false),
        finish(Some(1.0), positive(1, 257), positive(2, 65), false),
        finish(Some(1000.0), losses.clone(), partials.clone(), false),
        finish(Some(1.0), losses.clone(), partials.clone(), true),
        finish(Some(1.0), losses.clone(), vec![0.0], false),
    ];
    for clip_norm in [None, Some(1.0)] {
        for bad in [f64::NAN, f64::INFINITY] {
            cases.push(finish(clip_norm, with(losses.clone(), 999, bad), partials.clone(), false));
            cases.push(finish(clip_norm, losses.clone(), with(partials.clone(), 7, bad), false));
        }
    }
    cases
}

/// A step of an optimizer in the middle of a run.
fn with_step(case: Case, [scale, halted]: [f64; 2]) -> Case {
    let step = Step { step: 3, learning_rate: 0.3, correction1: 0.271, correction2: 0.0297, ..Step::default() };
    case.with("control", [scale, halted, 0.0, 0.0]).at(step)
}

/// A binding that is never negative.
fn with_squares(case: Case, name: &str) -> Case {
    let squares: Vec<f64> = case.input(name).iter().map(|x| x * x).collect();
    case.with(name, squares)
}

/// Every elementwise rule, with its variants.
pub fn update() -> Vec<Case> {
    let mut rules: Vec<OptimizerConfig> = OptimizerKind::ALL.map(OptimizerConfig::defaults).to_vec();
    rules.retain(|rule| update::state(rule).is_some());
    let sgd = OptimizerConfig::defaults(OptimizerKind::Sgd);
    rules.push(OptimizerConfig { momentum: 0.0, ..sgd.clone() });
    rules.push(OptimizerConfig { nesterov: false, ..sgd });
    let mut cases = vec![];
    for rule in rules {
        // The last is halted.
        for (len, decayed, control) in
            [(4, 4, [1.0, 0.0]), (260, 0, [0.4, 0.0]), (320, 192, [0.7, 0.0]), (64, 64, [0.4, 1.0])]
        {
            // As many tokens as let about half of Sophia's ratios reach 1.
            let settings = OptimizerConfig { weight_decay: 0.1, ..rule.clone() };
            let mut case = with_step(Case::new(Update { len, decayed, settings, tokens: 25 }), control);
            for name in update::state(&rule).into_iter().flatten().filter(|name| ["v", "h"].contains(name)) {
                case = with_squares(case, name);
            }
            cases.push(case);
        }
    }
    cases
}

/// Parts of a block, blocks with and without a remainder, one whose moments are zero, and halted.
pub fn adamw_8bit() -> Vec<Case> {
    let case = |(len, decays, control): (usize, bool, [f64; 2])| {
        let settings = OptimizerConfig::defaults(OptimizerKind::Adamw8bit);
        let case = with_step(Case::new(AdamW8bit { len, decays, settings }), control);
        let mut random = Random::new(5, Stream::Other(len as u32));
        let mut codes = || (0..len / 4).map(|_| random.next_u32()).collect::<Vec<u32>>();
        let (m, v) = (codes(), codes());
        let case = case.with_ids("m", &m).with_ids("v", &v);
        let case = with_squares(with_squares(case, "m_scale"), "v_scale");
        // Gradients of many sizes, and zeros.
        let gradients = case.input("gradients").iter().enumerate();
        let gradients = gradients.map(|(i, g)| if i % 7 == 6 { 0.0 } else { g * 10f64.powi(-(i as i32 % 5)) });
        let gradients: Vec<f64> = gradients.collect();
        case.with("gradients", gradients)
    };
    let lens = [(4, true, [1.0, 0.0]), (256, false, [0.4, 0.0]), (260, true, [0.7, 0.0]), (4100, true, [1.0, 0.0])];
    let mut cases = lens.map(case).to_vec();
    let zeros = vec![0.0; 256];
    let first = case((256, true, [1.0, 0.0])).with("m_scale", [0.0]).with("v_scale", [0.0]);
    cases.extend([first.clone(), first.with("gradients", zeros), case((320, true, [0.4, 1.0]))]);
    cases
}

/// All rows and a chunk from the middle, likely and unlikely tokens.
pub fn draw_labels() -> Vec<Case> {
    let mut cases = vec![];
    for (vocabulary, scale, soft_cap) in
        [(3, 1.0, None), (65, 4.0, None), (1000, 0.1, None), (65, 9.0, Some(SoftCap(2.0)))]
    {
        for (first_row, rows, alone) in [(0, 15, false), (4, 7, false), (0, 15, true)] {
            let kernel = DrawLabels { batch: 3, context: 5, vocabulary, soft_cap, first_row, rows, alone };
            let case = Case::new(kernel).scaled("logits", scale);
            let first_row = 5 * first_row as u32;
            cases.push(case.at(Step { seed: 77 + rows as u32, first_row, ..Step::default() }));
        }
    }
    cases
}

pub fn curvature() -> Vec<Case> {
    let case = |(len, control)| with_squares(with_step(Case::new(Curvature { len, beta2: 0.99 }), control), "h");
    [(4, [1.0, 0.0]), (260, [0.3, 0.0]), (64, [0.3, 1.0])].map(case).to_vec()
}

/// Single rows and columns, more than one chunk, a row without gradient, and halted.
pub fn adafactor() -> Vec<Case> {
    let mut cases = vec![];
    for (rows, columns, control) in
        [(1, 4, [1.0, 0.0]), (33, 20, [0.4, 0.0]), (70, 129, [1.0, 0.0]), (130, 1, [1.0, 0.0]), (5, 8, [0.4, 1.0])]
    {
        let without_a_row = |case: Case| {
            let gradients: Vec<f64> = case
                .input("gradients")
                .iter()
                .enumerate()
                .map(|(i, &g)| if i / columns == 2 { 0.0 } else { g })
                .collect();
            case.with("gradients", gradients)
        };
        for alone in [false, true] {
            let case = with_step(Case::new(AdafactorRows { rows, columns, alone }), control);
            cases.push(without_a_row(with_squares(case, "row")));
        }
        let case = with_step(Case::new(AdafactorColumns { rows, columns }), control);
        cases.push(without_a_row(with_squares(case, "column")));
        for moment in [Moment::Factored { rows, columns }, Moment::Whole { len: rows * columns }] {
            let kept: &[&str] =
                if moment == (Moment::Factored { rows, columns }) { &["row", "column"] } else { &["v"] };
            let case = with_step(Case::new(AdafactorMeasure(moment)), control);
            // Tensors smaller than what steps are relative to, too.
            let case = case.scaled("parameters", if columns == 1 { 1e-4 } else { 1.0 });
            let measure = without_a_row(kept.iter().fold(case, |case, name| with_squares(case, name)));
            let case = with_step(Case::new(AdafactorApply { moment, weight_decay: 0.1 }), control);
            let apply = kept.iter().fold(case, |case, name| case.with(name, measure.output(name)));
            cases
                .push(apply.with("gradients", measure.input("gradients")).with("partials", measure.output("partials")));
            cases.push(measure);
        }
    }
    cases
}

/// The whole of a parameter and one from the middle, more than one chunk; several matrices side by side; and halted.
pub fn muon() -> Vec<Case> {
    let part = |of, first, len| Part { of, first, len };
    let mut cases = vec![];
    for (part, control) in [
        (part(4, 0, 4), [1.0, 0.0]),
        (part(144, 48, 48), [0.4, 0.0]),
        (part(8300, 60, 4200), [1.0, 0.0]),
        (part(64, 0, 64), [0.4, 1.0]),
    ] {
        for nesterov in [false, true] {
            cases.push(with_step(Case::new(MuonMomentum { part, momentum: 0.95, nesterov }), control));
        }
        cases.push(with_step(Case::new(MuonApply { part, scale: 1.6, weight_decay: 0.1 }), control));
        let kernel = Normalise { len: part.len, partials: part.partials() };
        cases.push(with_squares(Case::new(kernel), "partials"));
    }
    cases.push(Case::new(Normalise { len: 260, partials: 100 }).with("partials", vec![0.02; 100]));
    let polynomials = [(1, 1, 64), (3, 5, 64), (2, 8, 64), (2, 36, 1344)];
    cases.extend(polynomials.map(|(count, side, stride)| Case::new(Polynomial { count, side, stride })));
    cases
}

/// How a pick is made; the draw comes last.
#[derive(Clone, Copy, Debug)]
pub struct Choice(pub f32, pub u32, pub f32, pub f32);

/// The third of four positions is picked from.
pub fn pick_from(logits: &[f64], Choice(temperature, top_k, top_p, draw): Choice) -> Case {
    let kernel = Pick { context: 4, vocabulary: logits.len(), soft_cap: None };
    let case = Case::new(kernel).with("logits", logits).with_ids("tokens", &[9, 8, 7, 6, 5]);
    case.at(Step { position: 2, temperature, top_k, top_p, draw, ..Step::default() })
}

/// With as many, fewer and more tokens than the shader has invocations; all draws, from the first kept token to the last.
pub fn pick() -> Vec<Case> {
    let mut cases = vec![];
    for vocabulary in [3, 65, 257, 1000] {
        let logits = random(vocabulary as u32, vocabulary, 2.0);
        cases.push(pick_from(&logits, Choice(0.0, 0, 1.0, 0.3)));
        for (top_k, top_p) in [(0, 1.0), (1, 1.0), (2, 0.7), (40, 1.0), (40, 0.9), (0, 0.5), (0, 0.95), (2000, 0.0)] {
            for draw in [0.0, 0.25, 0.5, 0.999_999] {
                cases.push(pick_from(&logits, Choice(0.7, top_k, top_p, draw)));
            }
        }
    }
    // Capped, far from where tanh is a line.
    for (vocabulary, choice) in [(65, Choice(0.7, 0, 1.0, 0.25)), (257, Choice(0.7, 40, 0.9, 0.5))] {
        let mut case = pick_from(&random(vocabulary, vocabulary as usize, 9.0), choice);
        let Kernel::Pick(kernel) = &mut case.kernel else { panic!("a pick") };
        kernel.soft_cap = SoftCap::new(6.0);
        cases.push(case);
    }
    // Both signs, and many of them equal. No share or draw lies where one token ends and the next begins.
    let steps: Vec<f64> = (0..300).map(|v| f64::from(v * v % 17 - 8)).collect();
    for (top_k, top_p) in [(7, 1.0), (31, 1.0), (31, 0.78), (0, 0.3), (0, 0.99)] {
        for draw in [0.0, 0.413, 0.999] {
            cases.push(pick_from(&steps, Choice(3.0, top_k, top_p, draw)));
        }
    }
    cases
}
