//! Each encoding, shared heads, QK-norm and the length of validations, by what their formulas say: numbers worked out
//! outside this program, and what must not change.

use std::f64::consts::SQRT_2;
use std::rc::Rc;

use trainlab::config::{Config, Position};
use trainlab::cpu::CpuEngine;
use trainlab::engine::Device;
use trainlab::error::{Error, Result};
use trainlab::kernels::Step;
use trainlab::kernels::attention::{AttentionForward, AttentionShape};
use trainlab::kernels::embedding::{Embed, EmbedShape};
use trainlab::kernels::position::{Table, alibi_slope};
use trainlab::kernels::query_key::QueryKey;
use trainlab::plan::Plan;
use trainlab::trainer::Trainer;

use crate::common::lab::{SMALL, dataset};
use crate::common::{Case, assert_close, cases, gpu, random, tests};

tests![
    alibi_is_a_softmax_of_distances,
    alibi_slopes_are_the_authors,
    turns_are_those_worked_out_by_hand,
    turned_scores_depend_on_the_distance_alone,
    interpolation_divides_positions,
    sinusoids_are_those_worked_out_by_hand,
    without_positions_the_order_before_does_not_matter,
    encodings_differ,
    shared_heads_are_repeated_heads,
    normed_queries_are_those_worked_out_by_hand,
    qk_norm_forgets_how_large_queries_and_keys_are,
    validations_read_at_their_own_length,
    a_validation_that_cannot_be_read_is_refused,
];

const ALL: [Position; 5] = [Position::None, Position::Learned, Position::Sinusoidal, Position::Rope, Position::Alibi];

/// What a kernel leaves in its binding number `at`, by the twin in f64, on the CPU and on the GPU.
async fn everywhere(case: &Case, at: usize) -> [Vec<f64>; 3] {
    let on = async |device: &Device| case.run(device).await[at].numbers().to_vec();
    [case.oracle()[at].numbers().to_vec(), on(&Device::Cpu).await, on(gpu().await).await]
}

/// With queries and keys of zeros, the weights are softmax(−m · distance); values count the positions.
async fn alibi_is_a_softmax_of_distances() {
    let shape = AttentionShape { position: Position::Alibi, ..AttentionShape::new(1, 3, 2, 4) };
    let (width, mut qkv) = (8, vec![0.0; shape.qkv_len()]);
    for (t, token) in qkv.chunks_exact_mut(3 * width).enumerate() {
        for head in 0..2 {
            token[2 * width + head * 4 + t] = 1.0;
        }
    }
    let case = Case::new(AttentionForward(shape)).with("qkv", qkv);
    // Of two heads, the first has m = 1/16, the second m = 1/256.
    let expected: [[f64; 4]; 6] = [
        [1.0, 0.0, 0.0, 0.0],
        [1.0, 0.0, 0.0, 0.0],
        [0.484380084277, 0.515619915723, 0.0, 0.0],
        [0.499023438742, 0.500976561258, 0.0, 0.0],
        [0.312730354053, 0.332899729025, 0.354369916922, 0.0],
        [0.332032101019, 0.333331637919, 0.334636261063, 0.0],
    ];
    for out in everywhere(&case, 1).await {
        assert_close("ALiBi's weights", &out, &expected.concat(), [1e-6, 1e-7]);
    }
}

async fn alibi_slopes_are_the_authors() {
    let expected: [&[f64]; 5] = [
        &[1.0 / 256.0],
        &[1.0 / 16.0, 1.0 / 256.0, 0.25],
        &[0.5, 0.25, 0.125, 0.0625, 0.03125, 0.015625, 0.0078125, 0.00390625],
        &[0.25, 0.0625, 0.015625, 0.00390625, 0.5, 0.125],
        // Eight, then the first, third, fifth and seventh of sixteen.
        &[
            0.5,
            0.25,
            0.125,
            0.0625,
            0.03125,
            0.015625,
            0.0078125,
            0.00390625,
            SQRT_2 / 2.0,
            SQRT_2 / 4.0,
            SQRT_2 / 8.0,
            SQRT_2 / 16.0,
        ],
    ];
    for slopes in expected {
        let heads = slopes.len();
        let actual: Vec<f64> = (0..heads).map(|head| alibi_slope(head, heads)).collect();
        assert_close(&format!("slopes of {heads} heads"), &actual, slopes, [1e-14, 0.0]);
    }
}

fn turns(context: usize, head_size: usize, base: f64, interpolation: f64) -> Vec<f64> {
    Table::Turns { context, head_size, base, interpolation }.values()
}

/// cos and sin by 40 digits of another program; also that f32, in which tables are uploaded, keeps them to 1e-7.
async fn turns_are_those_worked_out_by_hand() {
    let table = turns(16_384, 8, 10_000.0, 1.0);
    let at_8191 = [
        -0.646390469764257,
        -0.655703296654857,
        0.973986647218803,
        -0.330674664592863, //
        -0.763006789352456,
        0.755018666495043,
        0.22660540823086,
        0.943744809891105,
    ];
    let at_16383 = [
        -0.918830908963588,
        -0.0405577197461519,
        0.892840974029785,
        -0.780683996845641, //
        0.394651442076608,
        -0.999177197182258,
        0.450372062958554,
        -0.624925993273695,
    ];
    for (position, expected) in [(8191, at_8191), (16_383, at_16383)] {
        let row = &table[position * 8..][..8];
        assert_close(&format!("position {position}"), row, &expected, [0.0, 1e-11]);
        let rounded: Vec<f64> = row.iter().map(|&value| f64::from(value as f32)).collect();
        assert_close(&format!("position {position} in f32"), &rounded, &expected, [0.0, 1e-7]);
    }
    // Base 500, interpolation 3, position 10.
    let expected = [
        -0.981674004711079,
        0.76166716605412,
        0.988909449785044,
        0.9995031371559, //
        -0.190567962875485,
        0.647968462315169,
        0.148519696087225,
        0.0315194989730763,
    ];
    assert_close("base 500", &turns(11, 8, 500.0, 3.0)[80..], &expected, [0.0, 1e-13]);

    // Channel 0 of a query is turned into channels 0 and 4, channel 4 of a key into both as well.
    let shape = AttentionShape { position: Position::Rope, ..AttentionShape::new(1, 2, 1, 8) };
    let mut qkv = vec![0.0; 48];
    (qkv[24], qkv[24 + 8 + 4], qkv[24 + 16 + 3]) = (1.0, 2.0, 5.0);
    let case = Case::new(QueryKey { shape, norm: false, keep: false, decode: false });
    let case = cases::with_turns(case, shape).with("qkv", qkv);
    let (cosine, sine) = (0.54030230586814, 0.841470984807897);
    let mut expected = vec![0.0; 48];
    (expected[24], expected[24 + 4]) = (cosine, sine);
    (expected[24 + 8], expected[24 + 8 + 4]) = (-2.0 * sine, 2.0 * cosine);
    expected[24 + 16 + 3] = 5.0;
    for qkv in everywhere(&case, 0).await {
        assert_close("one radian", &qkv, &expected, [1e-6, 1e-7]);
    }
}

async fn turned_scores_depend_on_the_distance_alone() {
    let (context, d) = (40, 16);
    let shape = AttentionShape { position: Position::Rope, ..AttentionShape::new(1, context, 1, d) };
    let token = random(1, 3 * d, 1.0);
    let case = Case::new(QueryKey { shape, norm: false, keep: false, decode: false });
    let case = cases::with_turns(case, shape).with("qkv", token.repeat(context));
    for (qkv, tolerance) in everywhere(&case, 0).await.into_iter().zip([1e-12, 1e-5, 1e-5]) {
        let score = |i: usize, j: usize| -> f64 { (0..d).map(|c| qkv[i * 3 * d + c] * qkv[j * 3 * d + d + c]).sum() };
        for distance in 0..context {
            let scores: Vec<f64> = (distance..context).map(|i| score(i, i - distance)).collect();
            assert_close("scores", &scores, &vec![scores[0]; scores.len()], [0.0, tolerance]);
        }
        assert!((score(0, 0) - score(1, 0)).abs() > 0.1, "distances differ");
    }
}

async fn interpolation_divides_positions() {
    let (plain, halved) = (turns(32, 16, 10_000.0, 1.0), turns(64, 16, 10_000.0, 2.0));
    for position in 0..32 {
        assert_eq!(plain[position * 16..][..16], halved[2 * position * 16..][..16], "position {position}");
    }
    // In a whole model: repeated tokens are read at half the distance. One layer, no residue of what stands between.
    let mut config = small(Position::Rope);
    let weights = weights(&config);
    let tokens: Vec<u32> = (0..8).collect();
    let plain = logits(&config, &weights, &tokens);
    config.model.rope_interpolation = 2.0;
    let halved = logits(&config, &weights, &tokens);
    assert_eq!(plain[..VOCABULARY], halved[..VOCABULARY], "position 0 is turned by nothing");
    assert!(distance(&plain, &halved) > 1e-3, "interpolation changes nothing");
}

async fn sinusoids_are_those_worked_out_by_hand() {
    let table = Table::Sinusoids { context: 8192, width: 4 }.values();
    assert_eq!(table[..4], [0.0, 0.02, 0.0, 0.02]);
    let rows = [
        (1, [0.841470984807897, 0.54030230586814, 0.00999983333416666, 0.999950000416665]),
        (8191, [-0.763006789352456, -0.646390469764257, 0.22660540823086, 0.973986647218803]),
    ];
    for (position, row) in rows {
        // Of the size that token vectors begin with.
        let row = row.map(|wave| 0.02 * wave);
        assert_close("sinusoids", &table[position * 4..][..4], &row, [0.0, 1e-12]);
    }
    let shape = EmbedShape { batch: 1, context: 2, vocabulary: 3, width: 4 };
    let case = Case::new(Embed { shape, positions: true, documents: false, decode: false })
        .with_ids("tokens", &[2, 1, 0])
        .with("token_embedding", (0..12).map(f64::from).collect::<Vec<f64>>())
        .with("position_embedding", &table[..8]);
    let expected = [8.0, 9.02, 10.0, 11.02, 4.01682941969616, 5.01080604611736, 6.00019999666668, 7.01999900000833];
    for x in everywhere(&case, 2).await {
        assert_close("embeddings", &x, &expected, [1e-6, 0.0]);
    }
}

const VOCABULARY: usize = 11;

/// One layer, eight tokens, one sequence.
fn small(position: Position) -> Config {
    let mut config = SMALL[0].config();
    let model = &mut config.model;
    (model.layers, model.width, model.heads, model.hidden) = (1, 32, 4, 36);
    (model.context, model.position, config.training.batch_size) = (8, position, 1);
    config
}

fn plan(config: &Config) -> Plan {
    Plan::new(config, VOCABULARY, &Device::Cpu).expect("the plan fits")
}

/// A run's first parameters, larger, so that attention has something to choose from. What has the same name and shape
/// in two configs has the same values.
fn weights(config: &Config) -> Vec<f64> {
    let parameters = plan(config).parameters;
    let mut values: Vec<f64> = parameters.initial(config).into_iter().map(|value| 20.0 * f64::from(value)).collect();
    for norm in parameters.list.iter().filter(|parameter| parameter.name.contains("norm")) {
        values[norm.range.clone()].iter_mut().for_each(|value| *value /= 20.0);
    }
    values
}

/// Logits (T, V) of a whole pass, by the twins in f64.
fn logits(config: &Config, weights: &[f64], tokens: &[u32]) -> Vec<f64> {
    let plan = plan(config);
    let pass = &plan.validate;
    let mut engine = CpuEngine::<f64>::new(&plan.buffers);
    engine.add(&pass.recording);
    engine.write_exact(plan.weights, weights);
    engine.write_ids(pass.batch.tokens, tokens);
    engine.run(0, 0..pass.recording.ops.len(), &Step::default());
    let head = pass.recording.ops.iter().find(|op| op.label == "head").expect("a head");
    engine.read(head.tensors[2])[..tokens.len() * VOCABULARY].to_vec()
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// One layer without positions sees the tokens before as a set: with any encoding it sees their order.
async fn without_positions_the_order_before_does_not_matter() {
    for position in ALL {
        let config = small(position);
        let weights = weights(&config);
        let last = |tokens: [u32; 8]| logits(&config, &weights, &tokens)[7 * VOCABULARY..].to_vec();
        let (before, after) = (last([3, 1, 4, 0, 5, 9, 2, 6]), last([9, 0, 2, 4, 3, 5, 1, 6]));
        let off = distance(&before, &after);
        match position {
            Position::None => assert!(off < 1e-12, "the order shows: {off:e}"),
            _ => assert!(off > 1e-3, "{position:?}: the order does not show: {off:e}"),
        }
    }
}

/// From the same parameters, no two encodings come to the same logits.
async fn encodings_differ() {
    let of = |position| {
        let config = small(position);
        logits(&config, &weights(&config), &[3, 1, 4, 1, 5, 9, 2, 6])
    };
    let all = ALL.map(of);
    for (i, a) in all.iter().enumerate() {
        for (j, b) in all.iter().enumerate().skip(i + 1) {
            assert!(distance(a, b) > 1e-3, "{:?} and {:?} agree", ALL[i], ALL[j]);
        }
    }
}

/// A model whose four heads share keys and values is one with four of each, which are copies.
async fn shared_heads_are_repeated_heads() {
    for (position, kv_heads, qk_norm) in
        [(Position::Rope, 1, false), (Position::Alibi, 2, false), (Position::Learned, 2, true)]
    {
        let mut shared = small(position);
        (shared.model.kv_heads, shared.model.qk_norm) = (kv_heads, qk_norm);
        let mut whole = shared.clone();
        whole.model.kv_heads = 0;
        let (from, to) = (plan(&shared).parameters, plan(&whole).parameters);
        let of_shared = weights(&shared);
        let mut of_whole = weights(&whole);
        for parameter in &to.list {
            let source = &of_shared[from.get(&parameter.name).range.clone()];
            let target = &mut of_whole[parameter.range.clone()];
            if parameter.name.contains("qkv") {
                // Rows of 32 channels or of one; heads of 8 rows: four of q, then those of k and of v.
                let head = 8 * if parameter.shape.len() == 2 { 32 } else { 1 };
                for (h, target) in target.chunks_exact_mut(head).enumerate() {
                    let kv = kv_heads as usize;
                    let h = match h {
                        0..4 => h,
                        4..8 => 4 + (h - 4) * kv / 4,
                        _ => 4 + kv + (h - 8) * kv / 4,
                    };
                    target.copy_from_slice(&source[h * head..][..head]);
                }
            } else {
                target.copy_from_slice(source);
            }
        }
        let tokens = [3, 1, 4, 1, 5, 9, 2, 6];
        let (a, b) = (logits(&shared, &of_shared, &tokens), logits(&whole, &of_whole, &tokens));
        assert_close(&format!("{position:?}, {kv_heads} of 4 heads"), &a, &b, [1e-11, 1e-12]);
    }
}

async fn normed_queries_are_those_worked_out_by_hand() {
    let shape = AttentionShape::new(1, 1, 1, 4);
    let kernel = QueryKey { shape, norm: true, keep: true, decode: false };
    // Root mean squares 5/2 and 1 (beside which ε = 1e-5 shows in the sixth digit); values are left alone.
    let case = Case::new(kernel)
        .with("qkv", [3.0, 0.0, 0.0, -4.0, 1.0, -1.0, 1.0, 1.0, 7.0, 7.0, 7.0, 7.0])
        .with("q_weight", [1.0, 1.0, 1.0, 2.0])
        .with("k_weight", [1.0, 2.0, 3.0, 0.0]);
    let expected = [1.2, 0.0, 0.0, -3.2, 1.0, -2.0, 3.0, 0.0, 7.0, 7.0, 7.0, 7.0];
    for qkv in everywhere(&case, 0).await {
        assert_close("queries and keys", &qkv, &expected, [1e-5, 0.0]);
    }
    for raw in everywhere(&case, 3).await {
        assert_eq!(raw, [3.0, 0.0, 0.0, -4.0, 1.0, -1.0, 1.0, 1.0], "what came in");
    }
}

async fn qk_norm_forgets_how_large_queries_and_keys_are() {
    for qk_norm in [false, true] {
        let mut config = small(Position::Rope);
        config.model.qk_norm = qk_norm;
        let weights = weights(&config);
        let mut larger = weights.clone();
        for name in ["weight", "bias"] {
            let qkv = plan(&config).parameters.get(&format!("blocks.0.attn.qkv.{name}")).range.clone();
            // The first two thirds are queries and keys.
            let (first, len) = (qkv.start, qkv.len());
            larger[first..first + len * 2 / 3].iter_mut().for_each(|value| *value *= 10.0);
        }
        let tokens = [3, 1, 4, 1, 5, 9, 2, 6];
        let off = distance(&logits(&config, &weights, &tokens), &logits(&config, &larger, &tokens));
        // What is left is that of ε.
        assert_eq!(off < 1e-3, qk_norm, "off by {off:e}");
    }
}

async fn trainer(config: &Config, device: &Device) -> Result<Trainer> {
    Trainer::new(config, Rc::new(dataset()), device, |_, _| ()).await
}

/// As a model of that context would, with the same parameters.
async fn validations_read_at_their_own_length() {
    // Shorter than the model's context, and longer; of learned positions a shorter context has the first.
    let mut cases = vec![(Position::Learned, 40, 16)];
    for position in [Position::None, Position::Sinusoidal, Position::Rope, Position::Alibi] {
        cases.push((position, 16, 40));
    }
    cases.push((Position::Rope, 40, 9));
    for (position, context, of_validation) in cases {
        let mut config = small(position);
        (config.model.context, config.evaluation.context) = (context, of_validation);
        (config.training.batch_size, config.evaluation.every) = (3, 0);
        let mut other = config.clone();
        (other.model.context, other.evaluation.context) = (of_validation, 0);
        for device in [&Device::Cpu, gpu().await] {
            let what = format!("{position:?}, trained at {context}, read at {of_validation}, {}", device.name());
            let mut run = trainer(&config, device).await.unwrap();
            let evaluation = run.evaluate().await.unwrap();
            let expected = trainer(&other, device).await.unwrap().evaluate().await.unwrap();
            assert_close(&what, &[evaluation.loss], &[expected.loss], [1e-6, 0.0]);
            assert_close(&what, &[evaluation.bits_per_byte], &[expected.bits_per_byte], [1e-6, 0.0]);
            assert_eq!(run.plan.train.shape.context, context as usize);
        }
    }
}

async fn a_validation_that_cannot_be_read_is_refused() {
    let held_out = dataset().held_out.len();
    for (context, fits) in [(held_out as u32 - 1, true), (held_out as u32, false)] {
        let mut config = small(Position::Alibi);
        config.evaluation.context = context;
        match trainer(&config, &Device::Cpu).await {
            Ok(_) => assert!(fits),
            Err(Error::Refused(problems)) => {
                assert!(!fits && problems[0].field == "evaluation.context", "{}", problems[0]);
                assert!(problems[0].to_string().contains(&format!("1 to {}", held_out - 1)), "{}", problems[0]);
            }
            Err(other) => panic!("{other}"),
        }
    }
}
