//! Sweep files: what is read and written, which runs they mean, and what is refused.

use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::{Value, json};
use trainlab::config::{Config, OptimizerConfig, OptimizerKind, Position};
use trainlab::data::{Dataset, TokenizerKind};
use trainlab::engine::Device;
use trainlab::error::{Error, Problem};
use trainlab::plan::Plan;
use trainlab::sweep::{Budget, Run, Sweep, budget, runs};

use crate::common::lab::{SMALL, dataset};
use crate::common::{gpu, tests};

tests![
    grids_go_through_all_combinations_in_order,
    what_nobody_set_follows_each_runs_choices,
    nested_parameters_are_dotted_paths,
    sweeps_survive_being_written,
    ids_are_stable_and_tell_runs_apart,
    draws_are_a_function_of_the_seed,
    draws_stay_where_their_distribution_says,
    draws_are_repeated_with_every_seed,
    what_cannot_be_swept_is_refused,
    runs_that_cannot_be_made_are_named,
    budgets_are_kept_to_the_nearest_step,
    budgets_that_no_run_can_keep_are_refused,
    seconds_are_measured_on_the_device,
];

fn parse(json: Value) -> Sweep {
    Sweep::parse(&json).unwrap_or_else(|error| panic!("{error}"))
}

fn runs_of(json: Value) -> Vec<Run> {
    runs(&parse(json)).unwrap_or_else(|error| panic!("{error}"))
}

fn problems<T>(result: Result<T, Error>) -> Vec<Problem> {
    match result {
        Err(Error::Refused(problems)) => problems,
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("not refused"),
    }
}

async fn grids_go_through_all_combinations_in_order() {
    let grid = json!({
        "method": "grid",
        "parameters": {
            "model.layers": { "value": 2 },
            "model.position": { "values": ["rope", "alibi"] },
            "evaluation.context": { "values": [0, 32] },
            "model.context": { "distribution": "int_uniform", "min": 64, "max": 65 },
            "training.seed": { "values": [1, 2] },
        },
    });
    let all = runs_of(grid.clone());
    assert_eq!(all.len(), 16);
    assert_eq!(all[0].name, "position=rope evaluation.context=0 model.context=64 seed=1");
    assert_eq!(all[1].name, "position=rope evaluation.context=0 model.context=64 seed=2");
    assert_eq!(all[15].name, "position=alibi evaluation.context=32 model.context=65 seed=2");
    assert_eq!(all[0].group, all[1].group);
    assert_eq!(all[0].group, "position=rope evaluation.context=0 model.context=64");
    assert_eq!(
        all[13].values,
        *json!({
            "model.position": "alibi", "evaluation.context": 32, "model.context": 64, "training.seed": 2,
        })
        .as_object()
        .unwrap()
    );
    for run in &all {
        let (model, evaluation) = (&run.config.model, &run.config.evaluation);
        assert_eq!(model.layers, 2);
        let found = json!({
            "model.position": model.position,
            "evaluation.context": evaluation.context,
            "model.context": model.context,
            "training.seed": run.config.training.seed,
        });
        assert_eq!(found, json!(run.values));
    }
    // A cap takes the first ones.
    let mut capped = grid;
    capped["run_cap"] = json!(3);
    assert_eq!(runs_of(capped), all[..3]);
    let seeds = runs_of(json!({ "method": "grid", "parameters": { "training.seed": { "values": [4, 5] } } }));
    assert_eq!((seeds[0].name.as_str(), seeds[0].group.as_str()), ("seed=4", "all alike"));
    let one = runs_of(json!({ "method": "grid", "parameters": { "training.seed": { "value": 7 } } }));
    assert_eq!((one.len(), one[0].config.training.seed), (1, 7));
}

async fn what_nobody_set_follows_each_runs_choices() {
    // The field that decides comes after one that would follow it, and that is set all the same.
    let all = runs_of(json!({
        "method": "grid",
        "parameters": { "optimizer.beta1": { "value": 0.8 }, "optimizer.kind": { "values": ["adamw", "lion", "sophia"] } },
    }));
    for (run, kind) in all.iter().zip([OptimizerKind::Adamw, OptimizerKind::Lion, OptimizerKind::Sophia]) {
        assert_eq!(run.config.optimizer, OptimizerConfig { beta1: 0.8, ..OptimizerConfig::defaults(kind) });
    }
}

async fn nested_parameters_are_dotted_paths() {
    let nested = parse(json!({
        "method": "grid",
        "parameters": {
            "model": { "parameters": { "width": { "values": [32, 64] }, "layers": { "value": 1 } } },
            "training.seed": { "values": [1, 2] },
        },
    }));
    let flat = parse(json!({
        "method": "grid",
        "parameters": {
            "model.width": { "values": [32, 64] }, "model.layers": { "value": 1 }, "training.seed": { "values": [1, 2] },
        },
    }));
    assert_eq!(nested, flat);
}

async fn sweeps_survive_being_written() {
    let sweep = json!({
        "program": "train.py",
        "name": "rates",
        "description": "which rate",
        "project": "p",
        "command": ["python", "${program}", "${args}"],
        "method": "random",
        "metric": { "name": "accuracy.cloze" },
        "run_cap": 5,
        "parameters": {
            "optimizer.learning_rate": { "distribution": "log_uniform_values", "min": 1e-4, "max": 1e-2 },
            "model.width": { "distribution": "q_uniform", "min": 32, "max": 128, "q": 32 },
            "model.dropout": { "distribution": "normal", "mu": 0.3, "sigma": 0.01 },
            "model.layers": { "min": 1, "max": 3 },
            "model.norm": { "values": ["layer_norm", "rms_norm"], "probabilities": [0.25, 0.75] },
            "budget.tokens": { "value": 100000 },
            "sweep.seed": { "value": 9 },
            "training.seed": { "values": [1.0, 2] },
        },
    });
    let first = parse(sweep);
    let written = first.to_json();
    assert_eq!(Sweep::parse(&written).unwrap(), first);
    assert_eq!(written["program"], "train.py");
    assert_eq!(written["metric"], json!({ "name": "accuracy.cloze", "goal": "maximize" }));
    assert_eq!(written["parameters"]["budget.tokens"], json!({ "value": 100_000 }));
    assert_eq!(written["parameters"]["sweep.seed"], json!({ "value": 9 }));
    assert_eq!(written["parameters"]["training.seed"], json!({ "values": [1, 2] }), "1.0 is a whole number");
    assert_eq!(runs(&first).unwrap(), runs(&Sweep::parse(&written).unwrap()).unwrap());
    let grid = parse(json!({ "method": "grid", "parameters": { "sweep.seed": { "value": 3 } } }));
    assert_eq!(Sweep::parse(&grid.to_json()).unwrap(), grid);
    assert_eq!(grid.metric.name, "bits_per_byte");
}

async fn ids_are_stable_and_tell_runs_apart() {
    let of = |parameters: Value| runs_of(json!({ "method": "grid", "parameters": parameters })).remove(0);
    let plain = of(json!({ "model.width": { "value": 64 } }));
    let id = &plain.id;
    assert!(id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    // Of the config as it is, not of how it was written.
    assert_eq!(of(json!({ "model.width": { "values": [64.0] }, "model.layers": { "value": 3 } })).id, *id);
    let others = [
        json!({ "model.width": { "value": 64 }, "training.seed": { "value": 2 } }),
        json!({ "model.width": { "value": 64 }, "budget.tokens": { "value": 1000 } }),
        json!({ "model.width": { "value": 64 }, "budget.tokens": { "value": 2000 } }),
        json!({ "model.width": { "value": 64 }, "budget.bytes": { "value": 2000 } }),
        json!({ "model.width": { "value": 64 }, "training.steps": { "value": budget::MOST_STEPS } }),
    ];
    let mut ids: BTreeSet<String> = others.map(|parameters| of(parameters).id).into_iter().collect();
    ids.insert(id.clone());
    assert_eq!(ids.len(), 6);
}

/// Draws of one distribution for a field.
fn draws(path: &str, spec: Value, seed: u32, count: u32) -> Vec<Value> {
    let sweep = json!({
        "method": "random",
        "run_cap": count,
        "parameters": { path: spec, "sweep.seed": { "value": seed } },
    });
    runs_of(sweep).into_iter().map(|run| run.values[path].clone()).collect()
}

async fn draws_are_a_function_of_the_seed() {
    let rates = json!({ "distribution": "log_uniform_values", "min": 1e-5, "max": 1e-1 });
    let path = "optimizer.learning_rate";
    let first = draws(path, rates.clone(), 1, 20);
    assert_eq!(draws(path, rates.clone(), 1, 20), first);
    assert_eq!(draws(path, rates.clone(), 1, 7), first[..7], "a lower cap takes the first ones");
    assert_ne!(draws(path, rates, 2, 20), first);
    // The same on every machine: what these were when they were first drawn.
    assert_eq!(first[..3], [json!(0.00258056), json!(0.00746975), json!(0.0476405)]);
    // Ten different ones out of ten, however often one has to be drawn again.
    let all: BTreeSet<u64> =
        draws("model.layers", json!({ "min": 1, "max": 10 }), 1, 10).iter().map(|v| v.as_u64().unwrap()).collect();
    assert_eq!(all, (1..=10).collect());
}

async fn draws_stay_where_their_distribution_says() {
    let numbers = |path: &str, spec: Value| -> Vec<f64> {
        draws(path, spec, 5, 200).iter().map(|value| value.as_f64().unwrap()).collect()
    };
    let share = |values: &[f64], below: f64| values.iter().filter(|&&v| v < below).count() as f64 / values.len() as f64;
    let path = "optimizer.learning_rate";
    // Each distribution, its bounds, and where its middle is.
    for (spec, least, most, middle) in [
        (json!({ "min": 0.5, "max": 1.5 }), 0.5, 1.5, 1.0),
        (json!({ "distribution": "uniform", "min": 0, "max": 2 }), 0.0, 2.0, 1.0),
        (json!({ "distribution": "log_uniform_values", "min": 1e-4, "max": 1.0 }), 1e-4, 1.0, 1e-2),
        (json!({ "distribution": "log_uniform", "min": -9.210_340_371_976_182, "max": 0 }), 9.9e-5, 1.0, 1e-2),
        (json!({ "distribution": "normal", "mu": 1.0, "sigma": 0.1 }), 0.5, 1.5, 1.0),
        (json!({ "distribution": "log_normal", "mu": -3, "sigma": 0.5 }), 1e-7, 1.0, (-3.0f64).exp()),
    ] {
        let values = numbers(path, spec.clone());
        assert!(values.iter().all(|value| (least..=most).contains(value)), "{spec}: {values:?}");
        assert!((share(&values, middle) - 0.5).abs() < 0.12, "{spec}: {}", share(&values, middle));
        // No digits that say nothing.
        assert!(values.iter().all(|value| format!("{value:e}").split('e').next().unwrap().len() <= 7), "{values:?}");
    }
    for (spec, of) in [
        (json!({ "distribution": "q_uniform", "min": 32, "max": 4096, "q": 8 }), 8),
        (json!({ "distribution": "q_log_uniform_values", "min": 8, "max": 4096, "q": 4 }), 4),
        (json!({ "distribution": "q_normal", "mu": 2048, "sigma": 300, "q": 16 }), 16),
        (json!({ "distribution": "q_log_normal", "mu": 7, "sigma": 0.3, "q": 8 }), 8),
    ] {
        let values = draws("model.hidden", spec.clone(), 5, 50);
        assert!(values.iter().all(|value| value.as_u64().unwrap().is_multiple_of(of)), "{spec}: {values:?}");
    }
    let weighted = json!({
        "method": "random",
        "run_cap": 200,
        "parameters": {
            "model.norm": { "values": ["layer_norm", "rms_norm"], "probabilities": [0.9, 0.1] },
            "optimizer.learning_rate": { "min": 1e-4, "max": 1e-2 },
        },
    });
    let layer_norms = runs_of(weighted).iter().filter(|run| run.values["model.norm"] == "layer_norm").count();
    assert!((165..=195).contains(&layer_norms), "{layer_norms} of 200");
}

async fn draws_are_repeated_with_every_seed() {
    let all = runs_of(json!({
        "method": "random",
        "run_cap": 7,
        "parameters": {
            "training.seed": { "values": [3, 4, 5] },
            "optimizer.learning_rate": { "min": 1e-4, "max": 1e-2 },
        },
    }));
    let seeds: Vec<u32> = all.iter().map(|run| run.config.training.seed).collect();
    assert_eq!(seeds, [3, 4, 5, 3, 4, 5, 3]);
    let groups: Vec<&str> = all.iter().map(|run| run.group.as_str()).collect();
    assert!(groups[0] == groups[2] && groups[3] == groups[5] && groups[0] != groups[3] && groups[6] != groups[3]);
    assert!(all[0].name.starts_with("seed=3 learning_rate="), "{}", all[0].name);
}

async fn what_cannot_be_swept_is_refused() {
    let with = |key: &str, value: Value| {
        let mut sweep = json!({ "method": "grid", "parameters": { "model.layers": { "values": [1, 2] } } });
        sweep[key] = value;
        sweep
    };
    let parameter = |path: &str, spec: Value| with("parameters", json!({ path: spec }));
    let random = |spec: Value| json!({ "method": "random", "run_cap": 3, "parameters": { "model.dropout": spec } });
    let cases = [
        (json!([]), "sweep", "an object"),
        (json!({ "parameters": {} }), "method", "grid or random"),
        (with("method", json!("bayes")), "method", "depend on their noise"),
        (with("early_terminate", json!({ "type": "hyperband" })), "early_terminate", "spent less than the others"),
        (with("run_capp", json!(3)), "run_capp", "Did you mean `run_cap`?"),
        (with("run_cap", json!(0)), "run_cap", "from 1 to 10000"),
        (with("name", json!(3)), "name", "a text"),
        (with("metric", json!({ "name": "bits_per_bite" })), "metric.name", "Did you mean `bits_per_byte`?"),
        (with("metric", json!({ "name": "loss", "goal": "maximize" })), "metric.goal", "minimize, for loss"),
        (with("metric", json!({ "name": "loss", "target": 1 })), "metric.target", "one lucky seed"),
        (with("parameters", json!(null)), "parameters", "an object of config fields"),
        (with("method", json!("random")), "run_cap", "how many runs to draw"),
        (parameter("model.widht", json!({ "value": 1 })), "model.widht", "Did you mean `model.width`?"),
        (parameter("learning_rate", json!({ "value": 1 })), "learning_rate", "Did you mean `optimizer.learning_rate`?"),
        (parameter("model", json!({ "value": 1 })), "model", "the path of a field"),
        (parameter("model.width", json!(64)), "model.width", "Write `model.width: {value: 64}`"),
        (parameter("model.width", json!({})), "model.width", "Say what values it takes"),
        (parameter("model.width", json!({ "values": [] })), "model.width", "one value at least"),
        (parameter("model.width", json!({ "values": [64, 64.0] })), "model.width", "not 64 twice"),
        (parameter("model.width", json!({ "value": 64, "max": 3 })), "model.width", "Remove `max`"),
        (parameter("model.dropout", json!({ "min": 0.0, "max": 0.5 })), "model.dropout", "in a grid"),
        (
            parameter("model.norm", json!({ "values": ["layer_norm", "rms_norm"], "probabilities": [0.5, 0.5] })),
            "model.norm",
            "without probabilities in a grid",
        ),
        (random(json!({ "min": 0.5, "max": 0.1 })), "model.dropout", "a min that is at most max"),
        (random(json!({ "distribution": "beta" })), "model.dropout", "Take uniform"),
        (random(json!({ "distribution": "inv_log_uniform_values" })), "model.dropout", "it draws the same"),
        (random(json!({ "distribution": "gaussian" })), "model.dropout", "a distribution out of int_uniform"),
        (random(json!({ "distribution": "log_uniform_values", "min": 0, "max": 1 })), "model.dropout", "a min above 0"),
        (random(json!({ "distribution": "q_uniform", "min": 0, "max": 1, "q": 0 })), "model.dropout", "a q above 0"),
        (random(json!({ "distribution": "normal", "sigma": -1 })), "model.dropout", "a sigma of 0 or more"),
        (random(json!({ "values": [0.1, 0.2], "probabilities": [0.5] })), "model.dropout", "a probability for each"),
        (
            json!({ "method": "random", "run_cap": 3, "parameters": { "model.width": { "min": 32.5, "max": 64.5 } } }),
            "model.width",
            "a distribution of whole numbers",
        ),
        (
            json!({ "method": "random", "run_cap": 3, "parameters": { "model.norm": { "min": 1, "max": 2 } } }),
            "model.norm",
            "it is no number",
        ),
        (parameter("budget.tokens", json!({ "values": [1, 2] })), "budget.tokens", "Every run of a sweep shares it"),
        (parameter("budget.tokens", json!({ "value": 0 })), "budget.tokens", "a number above 0"),
        (parameter("budget.token", json!({ "value": 5 })), "budget.token", "Did you mean `budget.tokens`?"),
        (parameter("sweep.seed", json!({ "value": -1 })), "sweep.seed", "a whole number"),
        (
            with("parameters", json!({ "budget.tokens": { "value": 5 }, "budget.flops": { "value": 5 } })),
            "budget",
            "one budget",
        ),
        (
            with("parameters", json!({ "budget.tokens": { "value": 5 }, "training.steps": { "value": 5 } })),
            "training.steps",
            "budget.tokens decides about it",
        ),
        (
            with(
                "parameters",
                json!({
                    "model.width": { "value": 64 }, "model": { "parameters": { "width": { "value": 32 } } },
                }),
            ),
            "model.width",
            "each field once",
        ),
    ];
    for (sweep, field, says) in cases {
        let found = problems(Sweep::parse(&sweep));
        assert_eq!(found.len(), 1, "{sweep}: {found:?}");
        assert_eq!(found[0].field, field, "{sweep}");
        assert!(found[0].to_string().contains(says), "{}", found[0]);
    }
    // All at once.
    let bad = json!({ "method": "bayes", "early_terminate": {}, "parameters": { "model.widht": { "value": 1 } } });
    assert_eq!(problems(Sweep::parse(&bad)).len(), 3);
}

async fn runs_that_cannot_be_made_are_named() {
    let found = problems(runs(&parse(json!({
        "method": "grid",
        "parameters": {
            "model.heads": { "values": [4, 5] },
            "training.seed": { "values": [1, 2, 3] },
            "optimizer.learning_rate": { "values": [0.001, 1e9] },
        },
    }))));
    let told: Vec<(&str, &str)> = found.iter().map(|p| (p.field.as_str(), p.value.as_str())).collect();
    assert_eq!(
        told,
        [
            (
                "optimizer.learning_rate",
                "1000000000.0 in the run `heads=4 seed=1 learning_rate=1000000000.0` and in 5 others"
            ),
            ("model.heads", "5 in the run `heads=5 seed=1 learning_rate=0.001` and in 2 others"),
        ]
    );
    let found = problems(runs(&parse(json!({
        "method": "random", "run_cap": 7, "parameters": { "model.layers": { "values": [1, 2, 3] } },
    }))));
    assert_eq!(
        found[0].to_string(),
        "run_cap is 7; allowed: at most 3: all that could be drawn. Lower it, or take method grid."
    );
    let found = problems(runs(&parse(json!({
        "method": "grid",
        "parameters": { "model.width": { "min": 8, "max": 4096 }, "model.hidden": { "min": 8, "max": 4096 } },
    }))));
    assert!(found[0].to_string().contains("16719921 runs; allowed: at most 10000 runs"), "{}", found[0]);
    // A field that holds fractions knows no difference between these.
    let found = problems(runs(&parse(json!({
        "method": "grid", "parameters": { "model.dropout": { "values": [0, 0.0] } },
    }))));
    assert_eq!(found[0].allowed, "runs that differ");
}

fn small() -> Config {
    let mut config = SMALL[0].config();
    config.schedule.warmup_steps = 0;
    config
}

async fn steps(
    config: &Config,
    dataset: &Rc<Dataset>,
    device: &Device,
    kind: budget::Kind,
    amount: f64,
) -> Result<u32, Error> {
    Budget { kind, amount }.steps(config, dataset, device).await
}

async fn budgets_are_kept_to_the_nearest_step() {
    let characters = Rc::new(dataset());
    let text = "四十二行。二十四行。".repeat(200);
    let chinese = Rc::new(Dataset::new(&text, TokenizerKind::Characters, 0.4).unwrap());
    let mut sophia = small();
    sophia.optimizer = OptimizerConfig { estimate_every: 3, ..OptimizerConfig::defaults(OptimizerKind::Sophia) };
    let per_step = f64::from(small().training.batch_size * small().model.context);
    let cpu = &Device::Cpu;
    for (tokens, expected) in
        [(1.0, 1), (per_step, 1), (1.49 * per_step, 1), (1.51 * per_step, 2), (700.0 * per_step, 700)]
    {
        assert_eq!(steps(&small(), &characters, cpu, budget::Kind::Tokens, tokens).await.unwrap(), expected);
    }
    // A character of this text has three bytes.
    for (dataset, bytes_per_token) in [(&characters, 1.0), (&chinese, 3.0)] {
        let bytes = 20.0 * per_step * bytes_per_token;
        assert_eq!(steps(&small(), dataset, cpu, budget::Kind::Bytes, bytes).await.unwrap(), 20);
    }
    for config in [small(), sophia] {
        let plan = Plan::for_dataset(&config, &characters, cpu).unwrap();
        for expected in [1, 2, 3, 4, 5, 100, 999] {
            for share in [-0.4, 0.0, 0.4] {
                // Between two steps, the nearer one.
                let gap = if share < 0.0 {
                    plan.flops(expected) - plan.flops(expected - 1)
                } else {
                    plan.flops(expected + 1) - plan.flops(expected)
                };
                let flops = plan.flops(expected) + share * gap;
                assert_eq!(steps(&config, &characters, cpu, budget::Kind::Flops, flops).await.unwrap(), expected);
            }
        }
    }
}

async fn budgets_that_no_run_can_keep_are_refused() {
    let dataset = Rc::new(dataset());
    let mut config = small();
    for kind in [budget::Kind::Tokens, budget::Kind::Bytes, budget::Kind::Flops] {
        let found = problems(steps(&config, &dataset, &Device::Cpu, kind, 1e18).await);
        assert!(found[0].to_string().contains("allowed: what 1000000 steps can spend"), "{}", found[0]);
    }
    config.schedule.warmup_steps = 10;
    let found = problems(steps(&config, &dataset, &Device::Cpu, budget::Kind::Tokens, 500.0).await);
    assert_eq!(found[0].field, "schedule.warmup_steps");
}

async fn seconds_are_measured_on_the_device() {
    let dataset = Rc::new(dataset());
    let mut sophia = small();
    sophia.optimizer = OptimizerConfig::defaults(OptimizerKind::Sophia);
    sophia.model.position = Position::Rope;
    (sophia.model.width, sophia.model.hidden) = (32, 32);
    for (device, config) in [(&Device::Cpu, small()), (&Device::Cpu, sophia), (gpu().await, small())] {
        let few = steps(&config, &dataset, device, budget::Kind::Seconds, 1.0).await.unwrap();
        let many = steps(&config, &dataset, device, budget::Kind::Seconds, 20.0).await.unwrap();
        // Two measurements, on a machine that others use too.
        let ratio = f64::from(many) / f64::from(few);
        assert!(few >= 1 && (4.0..100.0).contains(&ratio), "{}: {few} and {many} steps", device.name());
    }
}
