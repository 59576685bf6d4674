//! Every kernel, on the GPU and on the CPU, against its twin in f64; and every twin against naive loops.

use trainlab::config::Position;
use trainlab::kernels::Step;
use trainlab::kernels::attention::{AttentionForward, AttentionShape};
use trainlab::kernels::attention_decode::AttentionDecode;
use trainlab::kernels::attention_stored::{AttentionMix, AttentionWeights};
use trainlab::kernels::matmul::{Ends, Layout, MatMul};
use trainlab::kernels::tiling::Tiling;

use crate::common::cases::Choice;
use crate::common::{Case, Values, assert_close, cases, tests};

tests![
    matmul_nt,
    matmul_nn,
    matmul_tn,
    activations,
    dropout,
    norm_forward,
    norm_backward,
    attention_forward,
    attention_backward_query,
    attention_backward_key_value,
    attention_decode,
    attention_stored,
    stored_and_tiled_attention_agree,
    attention_of_all_kinds,
    query_key,
    query_key_backward,
    embed,
    embed_backward,
    cross_entropy,
    sum_groups,
    squared_norm,
    finish_step,
    update,
    adamw_8bit,
    draw_labels,
    curvature,
    adafactor,
    muon,
    pick,
    arithmetic,
    copy,
    tilings_differ_in_no_bit,
    rows_of_attention_differ_in_no_bit,
    every_kernel_has_cases,
    a_halted_update_changes_nothing,
    picks_are_those_made_by_hand,
    what_is_kept_is_what_was_counted_by_hand,
    what_a_pick_leaves_is_the_models_own,
];

async fn check(cases: Vec<Case>) {
    for case in cases {
        case.check().await;
    }
}

async fn matmul_nt() {
    check(cases::matmul(Layout::NT)).await;
}

async fn matmul_nn() {
    check(cases::matmul(Layout::NN)).await;
}

async fn matmul_tn() {
    check(cases::matmul(Layout::TN)).await;
}

async fn activations() {
    check(cases::activations()).await;
}

async fn dropout() {
    check(cases::dropout()).await;
}

async fn norm_forward() {
    check(cases::norm_forward()).await;
}

async fn norm_backward() {
    check(cases::norm_backward()).await;
}

async fn attention_forward() {
    check(cases::attention_forward()).await;
}

async fn attention_backward_query() {
    check(cases::attention_backward_query()).await;
}

async fn attention_backward_key_value() {
    check(cases::attention_backward_key_value()).await;
}

async fn attention_decode() {
    check(cases::attention_decode()).await;
}

async fn attention_stored() {
    check(cases::attention_stored()).await;
}

/// What comes out in two kernels that keep the matrix comes out in one that does not.
async fn stored_and_tiled_attention_agree() {
    let shape = AttentionShape { kv_heads: 1, position: Position::Alibi, ..AttentionShape::new(2, 130, 2, 16) };
    let weights = Case::new(AttentionWeights(shape)).scaled("qkv", 2.0);
    let stored =
        Case::new(AttentionMix(shape)).with("weights", weights.output("weights")).with("qkv", weights.input("qkv"));
    let tiled = Case::new(AttentionForward(shape)).with("qkv", weights.input("qkv"));
    assert_close("O", &stored.output("out"), &tiled.output("out"), [1e-12, 1e-13]);
}

async fn query_key() {
    check(cases::query_key()).await;
}

async fn query_key_backward() {
    check(cases::query_key_backward()).await;
}

async fn embed() {
    check(cases::embed()).await;
}

async fn embed_backward() {
    check(cases::embed_backward()).await;
}

async fn cross_entropy() {
    check(cases::cross_entropy()).await;
}

async fn sum_groups() {
    check(cases::sum_groups()).await;
}

async fn squared_norm() {
    check(cases::squared_norm()).await;
}

async fn finish_step() {
    check(cases::finish_step()).await;
}

async fn update() {
    check(cases::update()).await;
}

async fn adamw_8bit() {
    check(cases::adamw_8bit()).await;
}

async fn draw_labels() {
    check(cases::draw_labels()).await;
}

async fn curvature() {
    check(cases::curvature()).await;
}

async fn adafactor() {
    check(cases::adafactor()).await;
}

async fn muon() {
    check(cases::muon()).await;
}

async fn pick() {
    check(cases::pick()).await;
}

async fn arithmetic() {
    check(cases::arithmetic()).await;
}

async fn copy() {
    check(cases::copy()).await;
}

/// Every encoding that changes scores, length, head size and way of sharing heads, through the twins.
async fn attention_of_all_kinds() {
    let mut sizes: Vec<(usize, usize)> = vec![];
    for context in [1, 2, 63, 64, 65, 257] {
        sizes.extend([4, 24].map(|head_size| (context, head_size)));
    }
    sizes.extend([8, 16, 32, 64, 128].map(|head_size| (65, head_size)));
    for (context, head_size) in sizes {
        for position in [Position::None, Position::Alibi] {
            for (heads, kv_heads) in [(2, 2), (4, 2), (3, 1)] {
                let shape = AttentionShape { kv_heads, position, ..AttentionShape::new(1, context, heads, head_size) };
                let packed = AttentionShape { documents: true, batch: 3, ..shape };
                let forward = cases::with_documents(Case::new(AttentionForward(packed)).scaled("qkv", 1.5), packed);
                let query = cases::backward_query(&forward, packed);
                forward.check_twin().await;
                query.check_twin().await;
                cases::backward_key_value(&query, packed).check_twin().await;
                let forward = Case::new(AttentionForward(shape)).scaled("qkv", 1.5);
                let query = cases::backward_query(&forward, shape);
                forward.check_twin().await;
                query.check_twin().await;
                cases::backward_key_value(&query, shape).check_twin().await;
                let step = Step { position: context as u32 - 1, ..Step::default() };
                Case::new(AttentionDecode(shape)).scaled("cache", 1.5).at(step).check_twin().await;
            }
        }
    }
}

async fn rows_of_attention_differ_in_no_bit() {
    for documents in [false, true] {
        let shape = AttentionShape { position: Position::Alibi, documents, ..AttentionShape::new(1, 45, 2, 16) };
        let forward = cases::with_documents(Case::new(AttentionForward(shape)), shape);
        let expected = forward.run(crate::common::gpu().await).await;
        for rows_each in [2, 4] {
            let kernel = AttentionForward(AttentionShape { rows_each, ..shape }).into();
            let outputs = Case { kernel, ..forward.clone() }.run(crate::common::gpu().await).await;
            for (expected, output) in expected[..3].iter().zip(&outputs) {
                assert_eq!(expected.numbers(), output.numbers(), "{rows_each} rows");
            }
        }
    }
}

/// A tiling is chosen by a measurement, and runs must repeat all the same.
async fn tilings_differ_in_no_bit() {
    for layout in [Layout::NT, Layout::NN, Layout::TN] {
        let ends = Ends { sums: layout == Layout::TN, accumulate: true, ..Ends::default() };
        let case = Case::new(MatMul::new(layout, 70, 68, 100).with(ends));
        let expected = case.run(crate::common::gpu().await).await;
        for tiling in Tiling::all().filter(|tiling| tiling.slices == 1) {
            let outputs = cases::with_tiling(case.clone(), tiling).run(crate::common::gpu().await).await;
            for (expected, output) in expected.iter().zip(&outputs) {
                assert_eq!(expected.numbers(), output.numbers(), "{layout:?}, {tiling:?}");
            }
        }
    }
}

async fn every_kernel_has_cases() {
    let cases = cases::all();
    for name in trainlab::kernels::Kernel::NAMES {
        let count = cases.iter().filter(|case| case.kernel.name() == *name).count();
        assert!(count >= 3, "{name} has {count} cases, at least three are wanted");
    }
}

/// Of every rule, whatever it keeps.
async fn a_halted_update_changes_nothing() {
    let optimizers = [cases::update(), cases::adamw_8bit(), cases::curvature(), cases::adafactor(), cases::muon()];
    let is_halted = |case: &Case| {
        let controls = case.kernel.bindings().iter().any(|binding| binding.name == "control");
        controls && case.input("control")[1] != 0.0
    };
    let mut halted = 0;
    for case in optimizers.concat().iter().filter(|case| is_halted(case)) {
        let outputs = case.run(crate::common::gpu().await).await;
        for (before, after) in case.inputs.iter().zip(&outputs) {
            match before {
                Values::Numbers(before) => {
                    let before: Vec<f64> = before.iter().map(|&number| f64::from(number as f32)).collect();
                    assert_eq!(before, after.numbers(), "{:?}", case.kernel);
                }
                Values::Ids(before) => assert_eq!(before, after.ids(), "{:?}", case.kernel),
            }
        }
        halted += 1;
    }
    assert!(halted >= 15, "{halted} halted cases");
}

/// Picks by the twin and on the GPU, which must be the token that is expected.
async fn check_pick(logits: &[f64], choice: Choice, token: u32) {
    let case = cases::pick_from(logits, choice);
    case.check().await;
    let outputs = case.run(crate::common::gpu().await).await;
    assert!(outputs[1].ids() == [9, 8, 7, token, 5], "{choice:?}: {:?}, not {token}", outputs[1]);
}

async fn picks_are_those_made_by_hand() {
    // Weights 1, 2, 1, 4 of 8 at temperature 1, whose cumulative sums are 1, 3, 4, 8.
    let logits = [1.0f64, 2.0, 1.0, 4.0].map(f64::ln);
    let mut expected = vec![(0.0, 0.5, 3), (1.0, 0.0, 0), (1.0, 0.124, 0), (1.0, 0.126, 1), (1.0, 0.374, 1)];
    expected.extend([(1.0, 0.376, 2), (1.0, 0.499, 2), (1.0, 0.501, 3), (1.0, 0.999_999, 3)]);
    // At temperature ½ weights are squared: 1, 4, 1, 16 of 22.
    expected.extend([(0.5, 0.044, 0), (0.5, 0.046, 1), (0.5, 0.226, 1), (0.5, 0.228, 2), (0.5, 0.274, 3)]);
    for (temperature, draw, token) in expected {
        check_pick(&logits, Choice(temperature, 0, 1.0, draw), token).await;
    }
    // Of equal logits the first is taken.
    check_pick(&[0.0, 3.0, 1.0, 3.0, 3.0], Choice(0.0, 0, 1.0, 0.9), 1).await;
}

async fn what_is_kept_is_what_was_counted_by_hand() {
    // Weights 1, 2, 1, 4; in the order of likelihood tokens 3, 1, 0, 2: of the equal ones the first comes first.
    let logits = [1.0f64, 2.0, 1.0, 4.0].map(f64::ln);
    let cases = [
        // Only the likeliest, whatever is drawn.
        (1, 1.0, 0.999, 3),
        (1, 1.0, 0.0, 3),
        // Tokens 1 and 3, weights 2, 4.
        (2, 1.0, 0.332, 1),
        (2, 1.0, 0.334, 3),
        // Tokens 0, 1, 3, weights 1, 2, 4: of the two equal ones the first.
        (3, 1.0, 0.142, 0),
        (3, 1.0, 0.143, 1),
        (3, 1.0, 0.428, 1),
        (3, 1.0, 0.429, 3),
        // As many as there are, and more: all.
        (4, 1.0, 0.376, 2),
        (9, 1.0, 0.376, 2),
        // 4 of 8 are ½; a little more needs token 1 too, a little more than 6 of 8 token 0 too.
        (0, 0.49, 0.0, 3),
        (0, 0.51, 0.0, 1),
        (0, 0.74, 0.332, 1),
        (0, 0.74, 0.334, 3),
        (0, 0.76, 0.142, 0),
        (0, 0.76, 0.143, 1),
        (0, 0.87, 0.429, 3),
        (0, 0.88, 0.376, 2),
        // Never nothing.
        (0, 0.0, 0.9, 3),
        // Top k first: of the weights 2 and 4, ⅔ are token 3's.
        (2, 0.66, 0.0, 3),
        (2, 0.67, 0.0, 1),
        // Of the weights 1, 2, 4 of top k, 6 of 7 are those of tokens 1 and 3.
        (3, 0.857, 0.0, 1),
        (3, 0.858, 0.0, 0),
    ];
    for (top_k, top_p, draw, token) in cases {
        check_pick(&logits, Choice(1.0, top_k, top_p, draw), token).await;
    }
    // Temperature comes first: at ½ the weights are 1, 4, 1, 16 of 22, and token 3 alone has 0.727.
    check_pick(&logits, Choice(0.5, 0, 0.72, 0.0), 3).await;
    check_pick(&logits, Choice(0.5, 0, 0.73, 0.0), 1).await;
}

async fn what_a_pick_leaves_is_the_models_own() {
    // Weights 1, 2, 1, 4, 8 and 16 of 32.
    let logits = [1.0f64, 2.0, 1.0, 4.0, 8.0, 16.0].map(f64::ln);
    // Token 4, for the likeliest two are kept, at a temperature at which their weights are 64 and 256.
    let case = cases::pick_from(&logits, Choice(0.5, 2, 1.0, 0.1));
    case.check().await;
    for outputs in [case.oracle(), case.run(crate::common::gpu().await).await] {
        assert_eq!(outputs[1].ids()[3], 4);
        assert_eq!(outputs[2].ids()[10..15], [5, 4, 3, 1, 0], "candidates");
        let expected = [8.0, 16.0, 8.0, 4.0, 2.0, 1.0].map(|weight| weight / 32.0);
        crate::common::assert_close("probabilities", &outputs[3].numbers()[12..18], &expected, [1e-5, 0.0]);
    }
}
