//! What each choice of MLP, norm, bias, dropout and loss does, against numbers worked out by hand, on the oracle and on
//! both devices; and that each choice reaches the model.

use trainlab::config::{Activation, Config, NormPosition};
use trainlab::cpu::CpuEngine;
use trainlab::engine::Device;
use trainlab::kernels::cross_entropy::CrossEntropy;
use trainlab::kernels::dropout::{self, Dropout, Mask};
use trainlab::kernels::matmul::{ActivationEnd, Ends, Layout, MatMul};
use trainlab::kernels::soft_cap::SoftCap;
use trainlab::kernels::{Kernel, Step};
use trainlab::plan::Plan;
use trainlab::tape::Tensor;

use crate::common::cases::Choice;
use crate::common::lab::{Lab, SMALL, batches, dataset};
use crate::common::{Case, assert_close, cases, gpu, random, tests};

tests![
    activations_are_those_of_their_formulas,
    gates_multiply_the_other_branch,
    a_gate_is_its_own_matrix,
    smoothed_targets_pull_every_token_up,
    z_loss_pulls_the_sum_down,
    a_cap_bounds_logits,
    a_cap_bounds_what_is_picked,
    noise_is_what_the_hash_says,
    dropout_keeps_its_share_and_the_mean,
    training_drops_anew_each_step,
    post_norm_leaves_rows_of_mean_0_and_variance_1,
    without_biases_there_are_none,
    options_cost_the_dispatches_they_must,
];

/// Holds what a case leaves in `name` against `expected`: by the twin in f64, on the CPU and on the GPU.
async fn hold(case: &Case, name: &str, expected: &[f64]) {
    let at = case.kernel.bindings().iter().position(|binding| binding.name == name).expect("a binding");
    assert_close(&format!("{:?}: `{name}`", case.kernel), &case.output(name), expected, [1e-7, 1e-7]);
    for device in [&Device::Cpu, gpu().await] {
        let outputs = case.run(device).await;
        let what = format!("{:?}: `{name}` on {}", case.kernel, device.name());
        assert_close(&what, outputs[at].numbers(), expected, [1e-5, 1e-6]);
    }
}

/// A product whose sums are 1 · `numbers`, with an activation at its end.
fn ending(activation: ActivationEnd, numbers: &[f64]) -> Case {
    let layout = if matches!(activation, ActivationEnd::Forward(_)) { Layout::NT } else { Layout::NN };
    let product = MatMul::new(layout, 1, numbers.len(), 1).with(Ends { activation, ..Ends::default() });
    Case::new(product).with("a", [1.0]).with("b", numbers)
}

async fn activations_are_those_of_their_formulas() {
    use Activation::*;
    // (x, act(x), act′(x)): Φ(1) = 0.841344746, φ(1) = 0.241970725, σ(2) = 0.880797078, σ(−1) = 0.268941421.
    let expected: [(Activation, [[f64; 3]; 3]); 6] = [
        (Relu, [[-1.0, 0.0, 0.0], [3.0, 3.0, 1.0], [0.0, 0.0, 0.0]]),
        (SquaredRelu, [[-1.0, 0.0, 0.0], [3.0, 9.0, 6.0], [0.0, 0.0, 0.0]]),
        (Gelu, [[1.0, 0.841344746, 1.083315471], [-1.0, -0.158655254, -0.083315471], [0.0, 0.0, 0.5]]),
        (GeluTanh, [[1.0, 0.841191991, 1.082964084], [-1.0, -0.158808009, -0.082964084], [0.0, 0.0, 0.5]]),
        (Silu, [[2.0, 1.761594156, 1.090784249], [-2.0, -0.238405844, -0.090784249], [0.0, 0.0, 0.5]]),
        // A sigmoid alone; what it gates is 1 here.
        (Glu, [[2.0, 0.880797078, 0.104993585], [-1.0, 0.268941421, 0.196611933], [0.0, 0.5, 0.25]]),
    ];
    for (activation, rows) in expected {
        let column = |i: usize| rows.map(|row| row[i]);
        if activation.is_gated() {
            let ones = ending(ActivationEnd::Forward(activation), &[1.0; 3]);
            hold(&ones.with("gate", column(0)), "c", &column(1)).await;
            let ones = ending(ActivationEnd::Backward(activation), &[1.0; 3]);
            hold(&ones.with("pre", [1.0; 3]).with("gate", column(0)), "dgate", &column(2)).await;
        } else {
            hold(&ending(ActivationEnd::Forward(activation), &column(0)), "c", &column(1)).await;
            let ones = ending(ActivationEnd::Backward(activation), &[1.0; 3]);
            hold(&ones.with("pre", column(0)), "c", &column(2)).await;
        }
    }
}

async fn gates_multiply_the_other_branch() {
    use Activation::*;
    // act(gate) · up at (gate, up) = (2, 3) and the other way round: SiLU(2) · 3, SiLU(3) · 2 and so on; then (0, 4),
    // (2, 0), (2, 3) again. By fours, and by less.
    for (activation, [one, other, third]) in [
        (Swiglu, [5.284782468, 5.715444761, 0.0]),
        (Glu, [2.642391234, 1.905148254, 2.0]),
        (Reglu, [6.0, 6.0, 0.0]),
        (Geglu, [5.863499208, 5.991900612, 0.0]),
    ] {
        let (up, gate) = ([3.0, 2.0, 4.0, 0.0, 3.0], [2.0, 3.0, 0.0, 2.0, 2.0]);
        for len in [2, 4, 5] {
            let case = ending(ActivationEnd::Forward(activation), &up[..len]).with("gate", &gate[..len]);
            hold(&case, "c", &[one, other, third, 0.0, one][..len]).await;
            hold(&case, "pre", &up[..len]).await;
        }
    }
    // A gate at 0 halves what GLU lets through; ReGLU shuts it off below.
    let case = ending(ActivationEnd::Forward(Glu), &[3.0, -8.0]).with("gate", [0.0, 0.0]);
    hold(&case, "c", &[1.5, -4.0]).await;
    let case = ending(ActivationEnd::Forward(Reglu), &[3.0, -8.0]).with("gate", [-1.0, 0.5]);
    hold(&case, "c", &[0.0, -4.0]).await;
    // dup = dh · SiLU(2) and dgate = dh · up · SiLU′(2), with dh = 10 and up = 3.
    for len in [1, 4] {
        let case = ending(ActivationEnd::Backward(Swiglu), &[10.0; 4][..len]);
        let case = case.with("pre", &[3.0; 4][..len]).with("gate", &[2.0; 4][..len]);
        hold(&case, "c", &[17.61594156; 4][..len]).await;
        hold(&case, "dgate", &[32.72352747; 4][..len]).await;
    }
}

fn small(change: impl FnOnce(&mut Config)) -> Config {
    let mut config = SMALL[0].config();
    change(&mut config);
    config
}

/// The first loss, on the oracle, from the parameters that `set` gives by their names.
async fn loss_with(config: &Config, set: impl Fn(&str, &mut [f64])) -> f64 {
    let dataset = dataset();
    let mut lab = Lab::new(config, dataset.tokenizer.vocabulary_size(), None).await;
    let mut weights = vec![0.0; lab.plan.weights.len];
    for parameter in &lab.plan.parameters.list {
        set(&parameter.name, &mut weights[parameter.range.clone()]);
    }
    lab.write_weights(&weights);
    lab.step(1, &batches(config, &dataset).batch(1, &dataset.train)).await[0]
}

/// What the two branches of a model's MLPs are, by setting one of them to a constant.
async fn a_gate_is_its_own_matrix() {
    let with = |activation, equal_parameters| {
        small(|config| {
            (config.model.activation, config.model.equal_parameters) = (activation, equal_parameters);
        })
    };
    // Numbers that depend on a parameter's name, not on where it comes in the list.
    let common = |name: &str, values: &mut [f64]| {
        let seed = name.bytes().fold(7u32, |seed, byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
        values.copy_from_slice(&random(seed, values.len(), 0.5));
    };
    let constant = |weight: bool, one: f64, values: &mut [f64]| values.fill(if weight { 0.0 } else { one });

    // ReGLU whose up is 1 everywhere is ReLU, with the gate as its up.
    let relu =
        loss_with(&with(Activation::Relu, true), |name, values| common(&name.replace(".up.", ".gate."), values)).await;
    let up_is_1 = |name: &str, values: &mut [f64]| match name {
        _ if name.contains(".up.") => constant(name.ends_with("weight"), 1.0, values),
        _ => common(name, values),
    };
    let gated = loss_with(&with(Activation::Reglu, false), up_is_1).await;
    assert_close("up is 1", &[gated], &[relu], [1e-12, 0.0]);

    // Whose gate is 1 everywhere, it is linear in up; GLU whose gate is 0 lets half of that through, so that twice
    // the down matrix makes up for it.
    let gate_is = |at: f64, factor: f64| {
        move |name: &str, values: &mut [f64]| {
            common(name, values);
            if name.contains(".gate.") {
                constant(name.ends_with("weight"), at, values);
            } else if name.ends_with("down.weight") {
                values.iter_mut().for_each(|value| *value *= factor);
            }
        }
    };
    let linear = loss_with(&with(Activation::Reglu, false), gate_is(1.0, 1.0)).await;
    let halved = loss_with(&with(Activation::Glu, false), gate_is(0.0, 2.0)).await;
    let halved_only = loss_with(&with(Activation::Glu, false), gate_is(0.0, 1.0)).await;
    assert_close("the gate is 0", &[halved], &[linear], [1e-12, 0.0]);
    assert!((halved_only - linear).abs() > 1e-3, "half as much is another model");

    // The branches are not each other's.
    let swap = |name: &str| name.replace(".gate.", ".tmp.").replace(".up.", ".gate.").replace(".tmp.", ".up.");
    let one = loss_with(&with(Activation::Swiglu, true), common).await;
    let other = loss_with(&with(Activation::Swiglu, true), |name, values| common(&swap(name), values)).await;
    assert!((one - other).abs() > 1e-4, "gate and up are one and the same: {one}, {other}");
}

/// One row of three tokens with probabilities 1/8, 2/8 and 5/8, the last of which comes next.
fn three_tokens(label_smoothing: f64, z_loss: f64) -> Case {
    let case = Case::new(one_row(label_smoothing, z_loss, None));
    case.with_ids("tokens", &[0, 2]).with("logits", [1.0f64, 2.0, 5.0].map(f64::ln))
}

fn one_row(label_smoothing: f64, z_loss: f64, soft_cap: Option<SoftCap>) -> CrossEntropy {
    CrossEntropy {
        batch: 1,
        context: 1,
        vocabulary: 3,
        first_row: 0,
        rows: 1,
        gradient_scale: Some(1.0),
        label_smoothing,
        z_loss,
        soft_cap,
        weights: false,
        accumulate: false,
        margins: false,
        alone: false,
    }
}

async fn smoothed_targets_pull_every_token_up() {
    let plain = three_tokens(0.0, 0.0);
    hold(&plain, "logits", &[0.125, 0.25, -0.375]).await;
    // q = 0.7 · (0, 0, 1) + 0.1.
    let smoothed = three_tokens(0.3, 0.0);
    hold(&smoothed, "logits", &[0.025, 0.15, -0.175]).await;
    for case in [plain, smoothed] {
        hold(&case, "losses", &[(8.0f64 / 5.0).ln()]).await;
    }
}

async fn z_loss_pulls_the_sum_down() {
    // log Z = ln 8 = 2.0794415, so that p is weighed with 1 + 2 · 0.1 · 2.0794415 = 1.4158883.
    let case = three_tokens(0.0, 0.1);
    hold(&case, "logits", &[0.176986039, 0.353972077, -0.115069807]).await;
    hold(&case, "losses", &[(8.0f64 / 5.0).ln()]).await;
}

async fn a_cap_bounds_logits() {
    // Logits 1000, −1000 and 0 become 5, −5 and 0: Z = e⁵ + e⁻⁵ + 1 = 149.419897, log Z = 5.006760444.
    let case = Case::new(one_row(0.0, 0.0, SoftCap::new(5.0)));
    let case = case.with_ids("tokens", &[0, 1]).with("logits", [1000.0, -1000.0, 0.0]);
    hold(&case, "losses", &[10.006760444]).await;
    // At the cap the slope is 0, at 0 it is 1.
    hold(&case, "logits", &[0.0, 0.0, 0.006692549]).await;
}

async fn a_cap_bounds_what_is_picked() {
    let mut case = cases::pick_from(&[0.0, 1000.0, -1000.0], Choice(1.0, 0, 1.0, 0.0));
    let Kernel::Pick(kernel) = &mut case.kernel else { panic!("a pick") };
    kernel.soft_cap = SoftCap::new(5.0);
    // The draw at 0 takes the first token, of weight 1 of 149.419897.
    for outputs in [case.oracle(), case.run(&Device::Cpu).await, case.run(gpu().await).await] {
        assert_eq!(outputs[1].ids()[3], 0);
        let expected = [0.006692549, 0.993262357, 0.006692549, 0.0000450940];
        assert_close("probabilities", &outputs[3].numbers()[8..12], &expected, [1e-5, 0.0]);
    }
}

async fn noise_is_what_the_hash_says() {
    // MurmurHash3's finaliser takes 0 to 0 and 1 to 514e28b7; these were worked out apart, in Python.
    let key = dropout::key(1, 1);
    assert_eq!(key, 0x3541_4d9f);
    let words = [[0, 0, 0], [1, 2, 3], [2, 70, 95]].map(|[site, row, column]| dropout::noise(key, site, row, column));
    assert_eq!(words, [0x2873_c1e0, 0xf80e_c1ae, 0x7b4d_5cad]);
    // Of 2³², 0x2873c1e0 are 0.158: dropped at 0.2, kept at 0.15.
    for (share, expected) in [(0.2, 0.0), (0.15, 1.0 / 0.85)] {
        let mask = Mask::new(0, share).expect("some is dropped");
        let case = Case::new(Dropout { mask, rows: 1, width: 4 }).with("x", [1.0; 4]);
        let case = case.at(Step { noise: key, ..Step::default() });
        let (cpu, gpu) = (case.run(&Device::Cpu).await, case.run(gpu().await).await);
        assert_close("the first element", &[cpu[1].numbers()[0]], &[expected], [1e-6, 0.0]);
        assert_eq!(cpu[1].numbers(), gpu[1].numbers());
    }
}

async fn dropout_keeps_its_share_and_the_mean() {
    let (rows, width, share) = (500, 64, 0.3);
    let ones = |site, step: Step| {
        let mask = Mask::new(site, share).expect("some is dropped");
        Case::new(Dropout { mask, rows, width }).with("x", vec![1.0; rows * width]).at(step)
    };
    let step = |step, first_row| Step { noise: dropout::key(5, step), first_row, ..Step::default() };
    let masks = [
        ones(1, step(1, 0)).output("y"),
        ones(1, step(2, 0)).output("y"),
        ones(2, step(1, 0)).output("y"),
        ones(1, Step { noise: dropout::key(6, 1), ..Step::default() }).output("y"),
    ];
    for (i, mask) in masks.iter().enumerate() {
        assert!(mask.iter().all(|&y| y == 0.0 || (y - 1.0 / 0.7).abs() < 1e-8), "scaled by 1 / (1 − share)");
        // 32,000 draws: the share's deviation is 0.0026, the mean's 0.0037.
        let dropped = mask.iter().filter(|&&y| y == 0.0).count() as f64 / mask.len() as f64;
        assert!((dropped - share).abs() < 0.013, "{dropped} are dropped");
        let mean = mask.iter().sum::<f64>() / mask.len() as f64;
        assert!((mean - 1.0).abs() < 0.018, "the mean becomes {mean}");
        // Steps, sites and seeds agree on 0.7² + 0.3² = 0.58 of the elements, as strangers do.
        for other in &masks[..i] {
            let same = mask.iter().zip(other).filter(|(a, b)| a == b).count() as f64 / mask.len() as f64;
            assert!((same - 0.58).abs() < 0.015, "{same} of two masks is the same");
        }
    }
    // A later micro-batch is the whole batch's rows from there on.
    let later = ones(1, step(1, 200)).output("y");
    assert_eq!(later[..300 * width], masks[0][200 * width..]);
    // The same bits on both devices.
    let case = ones(1, step(1, 77));
    let [cpu, gpu] = [case.run(&Device::Cpu).await, case.run(gpu().await).await];
    for (cpu, gpu) in cpu.iter().zip(&gpu) {
        assert!(cpu.numbers() == gpu.numbers(), "the devices drop differently");
    }
}

/// With a learning rate of nothing, steps differ by their masks alone; validation and samples have none.
async fn training_drops_anew_each_step() {
    let config = small(|config| {
        (config.model.dropout, config.optimizer.learning_rate) = (0.4, 0.0);
        config.training.accumulation = 3;
    });
    let dataset = dataset();
    let tokens = batches(&config, &dataset).batch(1, &dataset.train);
    for device in [None, Some(&Device::Cpu), Some(gpu().await)] {
        let mut losses = vec![];
        for steps in [[1, 2], [1, 2]] {
            let mut lab = Lab::new(&config, dataset.tokenizer.vocabulary_size(), device).await;
            for step in steps {
                losses.push(lab.step(step, &tokens).await[0]);
            }
        }
        assert!(losses[0] == losses[2] && losses[1] == losses[3], "a step's masks repeat: {losses:?}");
        assert!((losses[0] - losses[1]).abs() > 1e-6, "every step has the same masks: {losses:?}");
    }
    let plan = Plan::new(&config, 11, &Device::Cpu).expect("the plan fits");
    let drops = |kernel: &Kernel| match kernel {
        Kernel::Dropout(_) => true,
        Kernel::MatMul(product) => product.ends.dropout.is_some(),
        _ => false,
    };
    let sites = |ops: &[trainlab::tape::Op]| ops.iter().filter(|op| drops(&op.kernel)).count();
    // The embedding and two branches in each of two layers, forward and backward, in the first micro-batch and in the
    // one that is played again.
    assert_eq!(sites(&plan.train.recording.ops), 2 * 2 * 5);
    assert_eq!(sites(&plan.validate.recording.ops) + sites(&plan.decode.recording.ops), 0);
}

/// What the op of that name reads first in a validation on the oracle, and the tensors that it is bound to; the
/// parameters whose names contain one of `zeros` are 0.
fn read_by(config: &Config, op: &str, zeros: &[&str]) -> (Vec<f64>, Vec<Tensor>) {
    let plan = Plan::new(config, 11, &Device::Cpu).expect("the plan fits");
    let mut engine = CpuEngine::<f64>::new(&plan.buffers);
    engine.add(&plan.validate.recording);
    let mut weights: Vec<f64> = plan.parameters.initial(config).into_iter().map(f64::from).collect();
    for parameter in &plan.parameters.list {
        if zeros.iter().any(|zero| parameter.name.contains(zero)) {
            weights[parameter.range.clone()].fill(0.0);
        }
    }
    engine.write_exact(plan.weights, &weights);
    let tokens: Vec<u32> = (0..plan.validate.shape.tokens_len() as u32).map(|i| i * i % 11).collect();
    engine.write_ids(plan.validate.batch.tokens, &tokens);
    let ops = &plan.validate.recording.ops;
    let at = ops.iter().position(|other| other.label == op).expect("such an op");
    engine.run(0, 0..at, &Step::default());
    (engine.read(ops[at].tensors[0]).to_vec(), ops[at].tensors.clone())
}

async fn post_norm_leaves_rows_of_mean_0_and_variance_1() {
    let with = |position| small(|config| config.model.norm_position = position);
    let config = with(NormPosition::Post);
    let moments = |row: &[f64]| {
        let mean = row.iter().sum::<f64>() / row.len() as f64;
        (mean, row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / row.len() as f64)
    };
    // What the second block reads, and what the head does, where every norm's weight is 1 and its bias 0.
    for op in ["blocks.1.attn.qkv", "head"] {
        for row in read_by(&config, op, &[]).0.chunks(24) {
            let (mean, variance) = moments(row);
            // ε in the norm's root keeps the variance a little below 1.
            assert!(mean.abs() < 1e-12 && (0.99..1.0).contains(&variance), "{op}: {mean}, {variance}");
        }
    }
    // It is the stream itself: what the branch reads is what its output is added to.
    let (_, qkv) = read_by(&config, "blocks.1.attn.qkv", &[]);
    let (_, out) = read_by(&config, "blocks.1.attn.out", &[]);
    assert_eq!(qkv[0], *out.last().expect("the residual"));
    let plan = Plan::new(&config, 11, &Device::Cpu).expect("the plan fits");
    assert!(plan.parameters.list.iter().all(|parameter| !parameter.name.starts_with("norm_f")));

    // Branches that add nothing leave norm(norm(norm(norm(x)))) of the embedding x; with pre-norm, norm(x).
    let normed = |row: &[f64]| {
        let (mean, variance) = moments(row);
        row.iter().map(|x| (x - mean) / (variance + f64::from(1e-5f32)).sqrt()).collect::<Vec<f64>>()
    };
    for (position, first, times) in
        [(NormPosition::Post, "blocks.0.attn.qkv", 4), (NormPosition::Pre, "blocks.0.norm1", 1)]
    {
        let (embedding, _) = read_by(&with(position), first, &[]);
        let (read, _) = read_by(&with(position), "head", &[".out.", ".down."]);
        for (x, read) in embedding.chunks(24).zip(read.chunks(24)) {
            let expected = (0..times).fold(x.to_vec(), |x, _| normed(&x));
            assert_close(&format!("{position:?}"), read, &expected, [1e-9, 1e-11]);
        }
    }
}

async fn without_biases_there_are_none() {
    for activation in [Activation::GeluTanh, Activation::Swiglu] {
        let config = small(|config| (config.model.biases, config.model.activation) = (false, activation));
        let with = small(|config| config.model.activation = activation);
        let [plan, with] = [config, with].map(|config| Plan::new(&config, 11, &Device::Cpu).expect("the plan fits"));
        let biases = |plan: &Plan| plan.parameters.list.iter().filter(|p| p.name.ends_with("bias")).count();
        // qkv, out, up, down, both norms and maybe the gate in each of two layers, and the last norm's.
        let gates = if activation.is_gated() { 2 } else { 0 };
        assert_eq!((biases(&plan), biases(&with)), (0, 13 + gates));
    }
}

async fn options_cost_the_dispatches_they_must() {
    let dispatches = |change: fn(&mut Config)| {
        Plan::new(&small(change), 11, &Device::Cpu).expect("the plan fits").summary().dispatches
    };
    let plain = dispatches(|_| ());
    // A gate is a product forward and two backward, in each of two layers.
    assert_eq!(dispatches(|config| config.model.activation = Activation::Swiglu), plain + 2 * 3);
    // No last norm, forward and backward.
    assert_eq!(dispatches(|config| config.model.norm_position = NormPosition::Post), plain - 2);
    // The embedding's way in and back, and each of four branches' way back: on the way in it is fused.
    assert_eq!(dispatches(|config| config.model.dropout = 0.1), plain + 2 + 4);
    // All fused.
    assert_eq!(dispatches(|config| config.model.logit_soft_cap = 30.0), plain);
    assert_eq!(dispatches(|config| config.training.label_smoothing = 0.1), plain);
    assert_eq!(dispatches(|config| config.training.z_loss = 1e-4), plain);
    assert_eq!(dispatches(|config| config.model.biases = false), plain);
}
