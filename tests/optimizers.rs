//! Update rules against numbers worked out by hand from the papers, and against what they promise.

use trainlab::config::{Config, OptimizerConfig, OptimizerKind};
use trainlab::cpu::CpuEngine;
use trainlab::engine::Device;
use trainlab::kernels::optimizer::adafactor::{
    AdafactorApply, AdafactorColumns, AdafactorMeasure, AdafactorRows, Moment,
};
use trainlab::kernels::optimizer::adamw_8bit::AdamW8bit;
use trainlab::kernels::optimizer::curvature::{Curvature, DrawLabels};
use trainlab::kernels::optimizer::dynamic_code::{SIGNED, UNSIGNED, code_at};
use trainlab::kernels::optimizer::update::{self, Update};
use trainlab::kernels::{Kernel, Step};
use trainlab::optimizer;
use trainlab::plan::Plan;
use trainlab::tape::Tensor;
use trainlab::trainer::Trainer;

use crate::common::cases::tokens;
use crate::common::lab::{Lab, SMALL, batches, dataset, train};
use crate::common::{Case, assert_close, gpu, naive, random, tests};

tests![
    elementwise_rules_are_those_made_by_hand,
    the_curvature_is_a_running_mean_of_squares,
    eight_bit_steps_are_those_made_by_hand,
    the_8_bit_code_is_the_authors,
    adafactor_steps_are_those_made_by_hand,
    muon_is_orthogonal_in_each_matrix,
    labels_are_drawn_as_likely_as_they_are,
    the_estimate_is_the_curvature_on_average,
    only_some_steps_have_an_estimate,
    runs_play_the_estimates,
    every_optimizer_learns_a_batch_by_heart,
];

/// Two steps at learning rate 0.1 from 1, with gradients ½ and −¼.
const GRADIENTS: [f64; 2] = [0.5, -0.25];

/// Elements of `settings`' kind, after each of the two steps; `h` is Sophia's, and tokens are 10.
fn two_steps(settings: &OptimizerConfig, h: f64) -> [f64; 2] {
    let mut config = Config { optimizer: settings.clone(), ..Config::default() };
    config.schedule.warmup_steps = 0;
    let kernel = Update { len: 4, decayed: 4, settings: settings.clone(), tokens: 10 };
    let kept = update::state(settings).expect("an elementwise rule");
    let mut values = vec![vec![1.0; 4]];
    values.extend(kept.iter().map(|&name| vec![if name == "h" { h } else { 0.0 }; 4]));
    let names = || ["parameters"].into_iter().chain(kept.iter().copied());
    [0, 1].map(|i| {
        let numbers = Step { learning_rate: 0.1, ..optimizer::step(&config, i as u32 + 1) };
        let mut case = Case::new(kernel.clone()).at(numbers).with("control", [1.0, 0.0, 0.0, 0.0]);
        case = case.with("gradients", [GRADIENTS[i]; 4]);
        case = names().zip(&values).fold(case, |case, (name, values)| case.with(name, values.clone()));
        values = names().map(|name| case.output(name)).collect();
        values[0][0]
    })
}

async fn elementwise_rules_are_those_made_by_hand() {
    let usual = |kind| OptimizerConfig { weight_decay: 0.0, ..OptimizerConfig::defaults(kind) };
    let decayed = |kind| OptimizerConfig { weight_decay: 0.1, ..OptimizerConfig::defaults(kind) };
    let sgd = OptimizerConfig { momentum: 0.9, ..usual(OptimizerKind::Sgd) };
    let cases = [
        // θ − 0.1 (g + 0.1 θ): g is 0.6, then −0.25 + 0.094.
        (OptimizerConfig { momentum: 0.0, ..decayed(OptimizerKind::Sgd) }, [0.94, 0.9556]),
        // u = 0.5, then 0.45 − 0.25.
        (OptimizerConfig { nesterov: false, ..sgd.clone() }, [0.95, 0.93]),
        // 0.5 + 0.9 · 0.5, then −0.25 + 0.9 · 0.2.
        (OptimizerConfig { nesterov: true, ..sgd }, [0.905, 0.912]),
        // m̂ / √v̂ = 1, then (0.02 / 0.19) / √(0.0031 / 0.0199).
        (usual(OptimizerKind::Adam), [0.9, 0.873_330_06]),
        // The same with 0.1 · 0.1 · θ taken away each time.
        (decayed(OptimizerKind::Adamw), [0.89, 0.854_430_06]),
        // g = 0.5 + 0.1, then −0.25 + 0.09: (0.038 / 0.19) / √(0.00382 / 0.0199).
        (decayed(OptimizerKind::Adam), [0.9, 0.854_351_68]),
        // sign(0.05) + 0.1, then sign(0.9 · 0.005 − 0.025) + 0.089.
        (decayed(OptimizerKind::Lion), [0.89, 0.9811]),
        // m = 0.0175, then 0.0081375, over 0.04 · 10 · 0.1; and 0.1 θ.
        (decayed(OptimizerKind::Sophia), [0.946_25, 0.916_443_75]),
    ];
    for (settings, expected) in cases {
        let actual = two_steps(&settings, 0.1);
        assert_close(&format!("{settings:?}"), &actual, &expected, [2e-7, 0.0]);
    }
    // Where no curvature is known, or little of it, a step is as long as the sign alone.
    for h in [0.0, 1e-3] {
        let actual = two_steps(&usual(OptimizerKind::Sophia), h);
        assert_close("Sophia, flat", &actual, &[0.9, 0.8], [2e-7, 0.0]);
    }
}

async fn the_curvature_is_a_running_mean_of_squares() {
    let case = Case::new(Curvature { len: 4, beta2: 0.99 }).with("control", [0.5, 0.0, 0.0, 0.0]);
    let case = case.with("gradients", [0.5, 1.0, 0.0, -2.0]).with("h", [0.1, 0.0, 1.0, 0.0]);
    // Of gradients that clipping halves.
    assert_close("h", &case.output("h"), &[0.099_625, 0.0025, 0.99, 0.01], [1e-12, 0.0]);
}

async fn eight_bit_steps_are_those_made_by_hand() {
    let settings = OptimizerConfig { weight_decay: 0.0, ..OptimizerConfig::defaults(OptimizerKind::Adamw8bit) };
    let mut config = Config { optimizer: settings.clone(), ..Config::default() };
    config.schedule.warmup_steps = 0;
    let at = |step| Step { learning_rate: 0.1, ..optimizer::step(&config, step) };
    let case = Case::new(AdamW8bit { len: 4, decays: true, settings });
    // Code 127 is zero in the signed code, 0 in the unsigned one.
    let case = case.with_ids("m", &[0x7f7f_7f7f]).with_ids("v", &[0]).with("m_scale", [0.0]).with("v_scale", [0.0]);
    let case = case.with("control", [1.0, 0.0, 0.0, 0.0]).with("parameters", [1.0; 4]).at(at(1));
    let case = case.with("gradients", [0.5, 0.25, -0.125, 0.0]);
    let outputs = case.oracle();
    assert_close("first step", outputs[2].numbers(), &[0.9, 0.9, 1.1, 1.0], [1e-7, 0.0]);
    // m = (0.05, 0.025, −0.0125, 0) and v = (0.0025, 0.000625, 0.00015625, 0), by their largest.
    assert_close("scales", &[outputs[5].numbers()[0], outputs[6].numbers()[0]], &[0.05, 0.0025], [1e-7, 0.0]);
    // ½ lies nearest to 0.1 + 0.9 · 28.5 / 64, −¼ to −(0.1 + 0.9 · 10.5 / 64), …
    let stored = |binding: usize, values: &[f64; 256]| -> Vec<f64> {
        (0..4).map(|i| values[code_at(outputs[binding].ids(), i)]).collect()
    };
    assert_close("m", &stored(3, &SIGNED), &[1.0, 0.500_781_25, -0.247_656_25, 0.0], [1e-12, 0.0]);
    // … ¼ to 0.1 + 0.9 · 21.5 / 128, and 1/16, a decade below, to (0.1 + 0.9 · 37.5 / 64) / 10.
    assert_close("v", &stored(4, &UNSIGNED), &[1.0, 0.251_171_875, 0.062_734_375, 0.0], [1e-12, 0.0]);

    let next = Case { inputs: outputs, ..case }.with("gradients", [0.0; 4]).at(at(2));
    // 0.9 m / 0.19 over √(0.99 v / 0.0199), of what is stored.
    let expected = [0.832_841_99, 0.832_894_15, 1.166_404_01, 1.0];
    assert_close("second step", &next.output("parameters"), &expected, [2e-7, 0.0]);
}

async fn the_8_bit_code_is_the_authors() {
    for (signed, values) in [(true, &*SIGNED), (false, &*UNSIGNED)] {
        let expected = naive::dynamic_code(signed);
        assert_eq!(expected.len(), 256);
        assert_close("the code", values, &expected, [1e-12, 0.0]);
        assert!(values.is_sorted() && values.contains(&0.0) && values[255] == 1.0);
    }
    assert_eq!((SIGNED[127], UNSIGNED[0]), (0.0, 0.0));
    // The smallest: the middle of [0.1, 1], and of the halves of it, at 10⁻⁶.
    assert_close("the smallest", &[SIGNED[128], UNSIGNED[1], UNSIGNED[2]], &[5.5e-7, 3.25e-7, 7.75e-7], [1e-12, 0.0]);
}

async fn adafactor_steps_are_those_made_by_hand() {
    // R = (5, 25) and C = (10, 20) at the first step, which remembers nothing: U² = 3/5, 6/5, 27/25, 24/25.
    let gradients = [1.0, 2.0, 3.0, 4.0];
    let moment = Moment::Factored { rows: 2, columns: 2 };
    let mut state = [vec![0.5; 4], vec![0.0; 2], vec![0.0; 2]];
    let mut played = vec![];
    for (step, times) in [(1u32, 1.0), (2, 10.0)] {
        let rest = if step == 1 { 1.0 } else { 0.574_349_18 };
        let numbers = Step { step, learning_rate: 0.1, correction2: rest as f32, ..Step::default() };
        let [parameters, row, column] = state.clone();
        let given = |kernel: Kernel| {
            let case = Case::new(kernel).at(numbers).with("control", [1.0, 0.0, 0.0, 0.0]);
            case.with("gradients", gradients.map(|g| g * times))
        };
        let row = given(AdafactorRows { rows: 2, columns: 2, alone: false }.into()).with("row", row).output("row");
        let column = given(AdafactorColumns { rows: 2, columns: 2 }.into()).with("column", column).output("column");
        let with_all = |kernel: Kernel| {
            given(kernel).with("parameters", parameters.clone()).with("row", row.clone()).with("column", column.clone())
        };
        let partials = with_all(AdafactorMeasure(moment).into()).output("partials");
        let apply = with_all(AdafactorApply { moment, weight_decay: 0.0 }.into()).with("partials", partials);
        state = [apply.output("parameters"), row, column];
        played.push(state.clone());
    }
    // Steps of 0.1 · RMS(θ) · U. RMS(U) is √0.96, so that nothing is clipped.
    assert_close("R", &played[0][1], &[5.0, 25.0], [1e-6, 0.0]);
    assert_close("C", &played[0][2], &[10.0, 20.0], [1e-6, 0.0]);
    let expected = [0.461_270_17, 0.445_227_74, 0.448_038_48, 0.451_010_21];
    assert_close("first step", &played[0][0], &expected, [1e-7, 0.0]);
    // Ten times the gradient: R and C grow by 0.42565082 + 57.434918, U by 10 / √57.860569. It is clipped to RMS 1.
    assert_close("R", &played[1][1], &[289.302_843, 1_446.514_215], [1e-6, 0.0]);
    let expected = [0.425_581_70, 0.394_756_63, 0.400_157_38, 0.405_867_47];
    assert_close("second step", &played[1][0], &expected, [1e-7, 0.0]);
    // What a step really brings.
    let config = Config { optimizer: OptimizerConfig::defaults(OptimizerKind::Adafactor), ..Config::default() };
    let rest = [1, 2].map(|step| f64::from(optimizer::step(&config, step).correction2));
    assert_close("1 − β₂ₜ = t^−0.8", &rest, &[1.0, 0.574_349_18], [1e-7, 0.0]);

    // A vector keeps V itself: U is the gradient's sign, of RMS 1, and tensors of zeros count as 10⁻³.
    let moment = Moment::Whole { len: 4 };
    let numbers = Step { step: 1, learning_rate: 0.1, correction2: 1.0, ..Step::default() };
    let given = |kernel: Kernel| {
        let case = Case::new(kernel).at(numbers).with("control", [1.0, 0.0, 0.0, 0.0]);
        case.with("gradients", [3.0, -0.5, 7.0, -1.0]).with("parameters", [0.0; 4])
    };
    let measure = given(AdafactorMeasure(moment).into()).with("v", [9.0; 4]);
    assert_close("V", &measure.output("v"), &[9.0, 0.25, 49.0, 1.0], [1e-12, 0.0]);
    let apply = given(AdafactorApply { moment, weight_decay: 0.0 }.into()).with("v", measure.output("v"));
    let moved = apply.with("partials", measure.output("partials")).output("parameters");
    assert_close("a vector", &moved, &[-1e-4, 1e-4, -1e-4, 1e-4], [1e-6, 0.0]);
}

/// The ops that follow the backward pass of a plan, played on given gradients.
struct Playground {
    plan: Plan,
    config: Config,
    engine: CpuEngine<f64>,
}

impl Playground {
    fn new(config: &Config) -> Self {
        let plan = Plan::new(config, 9, &Device::Cpu).expect("the plan fits");
        let mut engine = CpuEngine::new(&plan.buffers);
        engine.add(&plan.train.recording);
        engine.write(plan.weights, &plan.parameters.initial(config));
        engine.write(plan.state.control, &[1.0, 0.0, 0.0, 0.0]);
        Self { plan, config: config.clone(), engine }
    }

    fn step(&mut self, step: u32, learning_rate: f32, gradients: &[f64]) {
        self.engine.write_exact(self.plan.gradients, gradients);
        let ops = &self.plan.train.recording.ops;
        let first = 1 + ops.iter().position(|op| op.label == "loss and clipping").expect("a step is finished");
        let numbers = Step { learning_rate, ..optimizer::step(&self.config, step) };
        self.engine.run(0, first..ops.len(), &numbers);
    }

    fn read(&self, tensor: Tensor) -> Vec<f64> {
        self.engine.read(tensor).to_vec()
    }
}

/// The singular values of a matrix: square roots of the eigenvalues of aᵀ a, by Jacobi's rotations.
fn singular_values(a: &[f64], columns: usize) -> Vec<f64> {
    let n = columns;
    let mut s = vec![0.0; n * n];
    for row in a.chunks_exact(n) {
        (0..n * n).for_each(|i| s[i] += row[i / n] * row[i % n]);
    }
    for _ in 0..30 {
        for (p, q) in (0..n).flat_map(|p| (p + 1..n).map(move |q| (p, q))) {
            let angle = 0.5 * (2.0 * s[p * n + q]).atan2(s[q * n + q] - s[p * n + p]);
            let (sin, cos) = angle.sin_cos();
            for k in 0..n {
                let (x, y) = (s[k * n + p], s[k * n + q]);
                (s[k * n + p], s[k * n + q]) = (cos * x - sin * y, sin * x + cos * y);
            }
            for k in 0..n {
                let (x, y) = (s[p * n + k], s[q * n + k]);
                (s[p * n + k], s[q * n + k]) = (cos * x - sin * y, sin * x + cos * y);
            }
        }
    }
    (0..n).map(|i| s[i * n + i].max(0.0).sqrt()).collect()
}

/// (rows, columns) transposed.
fn transposed(a: &[f64], columns: usize) -> Vec<f64> {
    let rows = a.len() / columns;
    (0..a.len()).map(|i| a[i % rows * columns + i / rows]).collect()
}

async fn muon_is_orthogonal_in_each_matrix() {
    let mut config = SMALL[0].config();
    config.optimizer = OptimizerConfig { weight_decay: 0.0, ..OptimizerConfig::defaults(OptimizerKind::Muon) };
    let (width, hidden) = (config.model.width as usize, config.model.hidden as usize);
    let mut lab = Playground::new(&config);
    let before = lab.read(lab.plan.weights);
    // Of very different sizes: each matrix is made orthogonal by itself, q apart from k and v.
    let mut gradients = random(3, lab.plan.parameters.len, 1.0);
    for parameter in &lab.plan.parameters.list {
        let q = if parameter.name.ends_with("qkv.weight") { width * width } else { 0 };
        gradients[parameter.range.clone()][..q].iter_mut().for_each(|g| *g *= 1e-4);
    }
    lab.step(1, 1.0, &gradients);
    let after = lab.read(lab.plan.weights);
    let mut matrices = 0;
    for parameter in lab.plan.parameters.list.iter().filter(|parameter| parameter.name.starts_with("blocks.")) {
        let [rows, columns] = parameter.shape[..] else { continue };
        let part = if parameter.name.contains("qkv") { width } else { rows };
        // 0.2 √max(rows, columns), for updates as large as AdamW's.
        let scale = 0.2 * (part.max(columns) as f64).sqrt();
        let moved = |at: usize| (before[at] - after[at]) / scale;
        let moved: Vec<f64> = parameter.range.clone().map(moved).collect();
        for (i, moved) in moved.chunks_exact(part * columns).enumerate() {
            let what = format!("{} {i}", parameter.name);
            let short = |a: &[f64]| if part < columns { transposed(a, columns) } else { a.to_vec() };
            let singular = |a: &[f64]| {
                let mut values = singular_values(&short(a), part.min(columns));
                values.sort_by(f64::total_cmp);
                values
            };
            let g: Vec<f64> = parameter.range.clone().map(|at| gradients[at]).collect();
            let g = &g[i * part * columns..(i + 1) * part * columns];
            // The first step's momentum is 0.05 G, and ahead of it lies 0.05 G + 0.95 · 0.05 G.
            let ahead: Vec<f64> = g.iter().map(|g| 0.0975 * g).collect();
            let norm = ahead.iter().map(|x| x * x).sum::<f64>().sqrt() + 1e-7;
            let quintic = |x: f64| 3.4445 * x - 4.775 * x.powi(3) + 2.0315 * x.powi(5);
            let mut expected: Vec<f64> =
                singular(&ahead).iter().map(|x| (0..5).fold(x / norm, |x, _| quintic(x))).collect();
            expected.sort_by(f64::total_cmp);
            let values = singular(moved);
            assert_close(&format!("{what}: singular values"), &values, &expected, [1e-6, 0.0]);
            // Nearly all up to 1.13; none above the quintic's own hill, 1.2024.
            assert!(values.iter().all(|value| (0.6..1.2025).contains(value)), "{what}: {values:?}");
            let near = values.iter().filter(|value| (0.68..1.13).contains(*value)).count();
            assert!(near + 3 >= values.len(), "{what}: {values:?}");
            let size = (moved.iter().map(|x| (x * scale).powi(2)).sum::<f64>() / moved.len() as f64).sqrt();
            assert!((0.15..0.22).contains(&size), "{what}: an update of {size}");
            // Orthogonal in the directions of the gradient: ⟨G, X⟩ is the sum of G's singular values, nearly.
            let along: f64 = g.iter().zip(moved).map(|(g, x)| g * x).sum();
            let most: f64 = singular(g).iter().sum();
            assert!((0.8..1.1).contains(&(along / most)), "{what}: {along} along the gradient, of {most}");
            matrices += 1;
        }
    }
    assert_eq!((matrices, hidden > width), (2 * 6, true));
    // The rest is AdamW's: its first step has the size of the learning rate.
    for name in ["tok_emb.weight", "pos_emb.weight", "blocks.0.mlp.up.bias", "norm_f.weight"] {
        let range = lab.plan.parameters.get(name).range.clone();
        for at in range {
            assert!(((before[at] - after[at]).abs() - 1.0).abs() < 1e-3, "{name}");
        }
    }
}

async fn labels_are_drawn_as_likely_as_they_are() {
    const ROWS: usize = 4000;
    let logits = [0.0, 1.0, -1.0, 2.0, 0.5];
    let kernel =
        DrawLabels { batch: 1, context: ROWS, vocabulary: 5, soft_cap: None, first_row: 0, rows: ROWS, alone: false };
    let sum: f64 = logits.iter().map(|logit: &f64| logit.exp()).sum();
    let mut seen = vec![];
    for seed in [1, 2, 3] {
        let case = Case::new(kernel.clone()).with("logits", logits.repeat(ROWS));
        let labels = case.at(Step { seed, ..Step::default() }).oracle()[1].ids().to_vec();
        for (v, logit) in logits.iter().enumerate() {
            let share = labels[1..].iter().filter(|&&label| label == v as u32).count() as f64 / ROWS as f64;
            let p = logit.exp() / sum;
            let deviation = (p * (1.0 - p) / ROWS as f64).sqrt();
            assert!((share - p).abs() < 4.0 * deviation, "seed {seed}: token {v} in {share}, expected {p}");
        }
        // What follows a label is drawn anew.
        let pairs = labels[1..].windows(2).filter(|pair| pair[0] == 3 && pair[1] == 3).count() as f64;
        let p = (2f64.exp() / sum).powi(2);
        assert!((pairs / ROWS as f64 - p).abs() < 5.0 * (p / ROWS as f64).sqrt(), "seed {seed}: neighbours depend");
        seen.push(labels);
    }
    assert!(seen[0] != seen[1] && seen[1] != seen[2], "the seed changes nothing");
}

/// tokens · E[ĝ²] is the Gauss-Newton diagonal, which for the head's weight can be written down:
/// the mean over rows of p (1 − p) x².
async fn the_estimate_is_the_curvature_on_average() {
    const DRAWS: u32 = 600;
    let mut config = SMALL[1].config();
    config.optimizer = OptimizerConfig { clip_norm: 0.0, ..OptimizerConfig::defaults(OptimizerKind::Sophia) };
    for accumulation in [1, 2] {
        config.training.accumulation = accumulation;
        let mut lab = Lab::new(&config, 9, None).await;
        let shape = lab.plan.train.shape;
        let batch: Vec<u32> =
            tokens(shape).into_iter().cycle().take(shape.tokens_len() * accumulation as usize).collect();
        let head = lab.plan.parameters.get("head.weight").range.clone();
        let rows = (shape.rows() * accumulation as usize) as f64;
        let (mut mean, mut squares) = (vec![0.0; head.len()], vec![0.0; head.len()]);
        for step in 1..=DRAWS {
            lab.estimate(step, &batch);
            let gradient = lab.read(lab.plan.gradients.slice(head.clone())).await;
            for (i, g) in gradient.iter().enumerate() {
                mean[i] += g / f64::from(DRAWS);
                squares[i] += rows * g * g / f64::from(DRAWS);
            }
        }
        // The same micro-batch again and again: its x and p are those of all.
        let (x, p) = lab.head_of_training(&batch[..shape.tokens_len()]).await;
        let (width, vocabulary) = (shape.width, shape.vocabulary);
        let exact: Vec<f64> = (0..head.len())
            .map(|i| {
                let of_row = |n: usize| {
                    let p = p[n * vocabulary + i / width];
                    p * (1.0 - p) * x[n * width + i % width].powi(2)
                };
                (0..shape.rows()).map(of_row).sum::<f64>() / shape.rows() as f64
            })
            .collect();
        let total = |values: &[f64]| values.iter().sum::<f64>();
        let ratio = total(&squares) / total(&exact);
        assert!((ratio - 1.0).abs() < 0.03, "{accumulation} micro-batches: {ratio} of the curvature");
        let off = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
        let zeros = vec![0.0; exact.len()];
        assert!(off(&squares, &exact) < 0.15 * off(&exact, &zeros), "{accumulation}: not element by element");
        // Labels from the model itself pull nowhere: the mean vanishes as 1 / √draws.
        let noise = (total(&exact) / rows / f64::from(DRAWS)).sqrt();
        assert!(off(&mean, &zeros) < 1.3 * noise, "the gradient has a mean");
    }
}

async fn only_some_steps_have_an_estimate() {
    let mut config = SMALL[0].config();
    config.optimizer = OptimizerConfig { estimate_every: 4, ..OptimizerConfig::defaults(OptimizerKind::Sophia) };
    let with = |config: &Config| (1..=12).filter(|&step| optimizer::estimates(config, step)).collect::<Vec<_>>();
    assert_eq!(with(&config), [1, 5, 9]);
    let plan = Plan::new(&config, 9, &Device::Cpu).expect("the plan fits");
    let estimate = plan.estimate.as_ref().expect("Sophia estimates").recording.flops() as f64;
    let train = plan.train.recording.flops() as f64;
    assert_eq!(plan.flops(5), 5.0 * train + 2.0 * estimate);
    config.optimizer.kind = OptimizerKind::Adamw;
    assert_eq!(with(&config), Vec::<u32>::new());
    let plain = Plan::new(&config, 9, &Device::Cpu).expect("the plan fits");
    assert_eq!(
        plain.train.recording.ops.len(),
        plan.train.recording.ops.len(),
        "steps without an estimate pay nothing"
    );
    assert!(plain.estimate.is_none());
}

/// A run does what its recordings say, played by hand, before the steps where they say it.
async fn runs_play_the_estimates() {
    let dataset = dataset();
    let mut config = SMALL[0].config();
    config.training.accumulation = 3;
    config.optimizer = OptimizerConfig { estimate_every: 2, ..OptimizerConfig::defaults(OptimizerKind::Sophia) };
    let batches = batches(&config, &dataset);
    let mut lab = Lab::new(&config, dataset.tokenizer.vocabulary_size(), Some(&Device::Cpu)).await;
    for step in 1..=5 {
        lab.step(step, &batches.batch(step, &dataset.train)).await;
    }
    let played = lab.read(lab.plan.weights).await;
    let mut runs = vec![];
    for estimate_every in [2, 1000] {
        config.optimizer.estimate_every = estimate_every;
        let mut trainer =
            Trainer::new(&config, crate::common::lab::dataset().into(), &Device::Cpu, |_, _| ()).await.unwrap();
        train(&mut trainer, 5).await.expect("five steps");
        runs.push(trainer.weights().await.unwrap().into_iter().map(f64::from).collect::<Vec<f64>>());
    }
    assert!(runs[0] == played, "a run differs from its recordings");
    assert!(runs[1] != played, "later estimates change nothing");
}

async fn every_optimizer_learns_a_batch_by_heart() {
    let tokens: Vec<u32> = (0..3).flat_map(|b| (0..9).map(move |t| (b * 4 + t * t) % 11)).collect();
    for kind in OptimizerKind::ALL {
        let mut config = SMALL[0].config();
        // Wide enough that the 8-bit rule has codes to keep.
        (config.model.width, config.model.hidden, config.model.context) = (40, 104, 8);
        config.optimizer = OptimizerConfig::defaults(kind);
        config.training.steps = 100;
        let mut ends = vec![];
        for device in [&Device::Cpu, gpu().await] {
            let mut lab = Lab::new(&config, 11, Some(device)).await;
            let mut losses = vec![];
            for step in 1..=100 {
                losses.push(lab.step(step, &tokens).await[0]);
            }
            println!("{kind:?}, {}: {} to {}", device.name(), losses[0], losses[99]);
            assert!((losses[0] - 11f64.ln()).abs() < 0.1, "{kind:?}, {}: begins at {}", device.name(), losses[0]);
            // Lion's steps are the shortest.
            assert!(losses[99] < 0.5 * losses[0], "{kind:?}, {}: ends at {}", device.name(), losses[99]);
            ends.push(losses[1]);
        }
        assert_close(&format!("{kind:?}: the second loss"), &ends[1..], &ends[..1], [2e-3, 0.0]);
    }
}
