//! Configs that between them have every pair of values that the schema offers, chosen greedily (after AETG; Cohen et
//! al. 1997): most of what breaks, breaks by two options together.

// The goldens' test takes the factors alone.
#![allow(dead_code, reason = "each test binary uses a part of this")]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use trainlab::config::{check, schema_json};
use trainlab::random::{Random, Stream};

/// The sections that decide what a step computes.
const SECTIONS: &[&str] = &["model", "optimizer", "schedule", "training"];

/// Numbers that stand for a field's range: small shapes, both what switches an option off and what switches it on.
/// Enums and booleans are taken whole, from the schema.
const NUMBERS: &[(&str, &[f64])] = &[
    ("model.layers", &[1.0, 2.0]),
    ("model.width", &[16.0, 32.0]),
    ("model.heads", &[1.0, 2.0, 4.0]),
    ("model.kv_heads", &[0.0, 1.0, 2.0]),
    ("model.hidden", &[12.0, 40.0]),
    ("model.context", &[9.0, 14.0]),
    ("model.rope_base", &[100.0, 10_000.0]),
    ("model.rope_interpolation", &[1.0, 2.5]),
    ("model.dropout", &[0.0, 0.25]),
    ("model.logit_soft_cap", &[0.0, 3.0]),
    ("optimizer.learning_rate", &[1e-3, 4e-3]),
    ("optimizer.momentum", &[0.0, 0.9]),
    ("optimizer.beta1", &[0.0, 0.9]),
    ("optimizer.beta2", &[0.9, 0.99]),
    ("optimizer.epsilon", &[1e-8, 1e-4]),
    ("optimizer.rho", &[0.04, 1.0]),
    ("optimizer.estimate_every", &[1.0, 4.0]),
    ("optimizer.weight_decay", &[0.0, 0.3]),
    ("optimizer.clip_norm", &[0.0, 1.0]),
    ("schedule.warmup_steps", &[0.0, 3.0]),
    ("schedule.final_fraction", &[0.0, 0.5]),
    ("training.steps", &[10.0, 40.0]),
    ("training.batch_size", &[2.0, 4.0]),
    ("training.accumulation", &[1.0, 2.0]),
    ("training.seed", &[1.0, 7.0]),
    ("training.label_smoothing", &[0.0, 0.1]),
    ("training.z_loss", &[0.0, 0.01]),
];

/// Numbers that say which recording a step plays, not what one computes. `tests/warmup.rs` holds such a run against runs
/// of each of its lengths, bit for bit.
const ELSEWHERE: &[&str] = &["schedule.context_start", "schedule.context_warmup_steps"];

/// A field, and the values that it takes here.
#[derive(Clone)]
pub struct Factor {
    /// `section.field`
    pub path: String,
    pub values: Vec<Value>,
    /// The field matters only while another has one of these values: `x-when`.
    when: Vec<(usize, BTreeSet<usize>)>,
}

/// A value of a factor, by their indices.
type Choice = (usize, usize);

/// A value of each factor.
pub type Combination = Vec<usize>;

pub struct Cover {
    pub factors: Vec<Factor>,
    pub combinations: Vec<Combination>,
    /// Pairs that no accepted config was found for.
    pub refused: Vec<[Choice; 2]>,
}

/// The factors that the schema declares. Fails where [`NUMBERS`] and the schema's numbers differ.
pub fn factors() -> Vec<Factor> {
    let schema = schema_json();
    let mut numbers: BTreeMap<_, _> = NUMBERS.iter().copied().collect();
    assert_eq!(numbers.len(), NUMBERS.len(), "NUMBERS names a field twice");
    let mut factors = vec![];
    let mut conditions = vec![];
    for section in SECTIONS {
        let fields = resolve(&schema["properties"][section], schema)["properties"].as_object().expect("a section");
        for (name, field) in fields {
            let path = format!("{section}.{name}");
            if ELSEWHERE.contains(&path.as_str()) {
                continue;
            }
            let values = match field["type"].as_str() {
                Some("boolean") => vec![json!(false), json!(true)],
                Some("integer") => of_table(&mut numbers, &path).iter().map(|&n| json!(n as u64)).collect(),
                Some("number") => of_table(&mut numbers, &path).iter().map(|&n| json!(n)).collect(),
                _ => names(resolve(field, schema)),
            };
            assert!(!values.is_empty(), "{path} has no values");
            if let Some(when) = field.get("x-when") {
                conditions.push((factors.len(), *section, when.as_object().expect("siblings by name")));
            }
            factors.push(Factor { path, values, when: vec![] });
        }
    }
    assert!(numbers.is_empty(), "NUMBERS has fields that the schema lacks: {numbers:?}");

    let conditions: Vec<_> = conditions
        .into_iter()
        .flat_map(|(factor, section, when)| {
            when.iter().map(move |(sibling, allowed)| (factor, section, sibling, allowed))
        })
        .map(|(factor, section, sibling, allowed)| {
            let path = format!("{section}.{sibling}");
            let sibling = factors.iter().position(|factor| factor.path == path).expect("x-when names a field");
            let allowed = allowed.as_array().expect("values");
            let of = |value: &Value| factors[sibling].values.iter().position(|known| known == value);
            (factor, sibling, allowed.iter().filter_map(of).collect())
        })
        .collect();
    for (factor, sibling, allowed) in conditions {
        factors[factor].when.push((sibling, allowed));
    }
    factors
}

fn of_table(numbers: &mut BTreeMap<&str, &'static [f64]>, path: &str) -> &'static [f64] {
    numbers.remove(path).unwrap_or_else(|| panic!("NUMBERS in tests/combinations/cover.rs has no values for {path}"))
}

/// A property without its reference.
fn resolve<'a>(property: &'a Value, schema: &'a Value) -> &'a Value {
    let reference = property["$ref"].as_str();
    reference.and_then(|path| schema.pointer(&path[1..])).unwrap_or(property)
}

/// The names of an enum.
fn names(property: &Value) -> Vec<Value> {
    let plain = |property: &Value| property["enum"].as_array().cloned().unwrap_or_default();
    let choices = property["oneOf"].as_array().into_iter().flatten();
    let names = choices.flat_map(|choice| choice.get("const").map_or_else(|| plain(choice), |name| vec![name.clone()]));
    names.chain(plain(property)).collect()
}

impl Cover {
    pub fn new() -> Self {
        let factors = factors();
        let mut cover = Self { combinations: vec![], refused: vec![], factors };
        let mut random = Random::new(1, Stream::Other(0));
        let mut missing = cover.pairs();
        while let Some(&pair) = missing.first() {
            // The most fruitful of a few that have the pair; more where the config's check refuses them.
            let mut accepted = vec![];
            for _ in 0..40 {
                let candidate = cover.complete(pair, &missing, &mut random);
                if check(&cover.config(&candidate)).is_empty() {
                    let new = cover.pairs_of(&candidate).filter(|pair| missing.contains(pair)).count();
                    accepted.push((new, candidate));
                }
                if accepted.len() == 4 {
                    break;
                }
            }
            match accepted.into_iter().max() {
                None => {
                    missing.remove(&pair);
                    cover.refused.push(pair);
                }
                Some((_, best)) => {
                    let covered: Vec<_> = cover.pairs_of(&best).collect();
                    assert!(covered.contains(&pair), "a combination has the pair that it was made for");
                    covered.iter().for_each(|pair| {
                        missing.remove(pair);
                    });
                    cover.combinations.push(best);
                }
            }
        }
        cover
    }

    /// As JSON; what it leaves out does not change a step.
    pub fn config(&self, combination: &Combination) -> Value {
        let mut config = Map::new();
        for (factor, &value) in self.factors.iter().zip(combination) {
            let (section, field) = factor.path.split_once('.').expect("section.field");
            config.entry(section).or_insert_with(|| json!({}))[field] = factor.values[value].clone();
        }
        Value::Object(config)
    }

    pub fn describe(&self, choices: &[Choice]) -> String {
        let describe = |&(factor, value): &Choice| {
            let factor = &self.factors[factor];
            format!("{} = {}", factor.path, factor.values[value])
        };
        choices.iter().map(describe).collect::<Vec<_>>().join(" with ")
    }

    fn choices(&self) -> impl Iterator<Item = Choice> {
        self.factors.iter().enumerate().flat_map(|(factor, f)| (0..f.values.len()).map(move |value| (factor, value)))
    }

    /// All pairs of values of two factors that can matter together.
    fn pairs(&self) -> BTreeSet<[Choice; 2]> {
        let apart = |a: Choice, b: Choice| {
            // Where one matters only with certain values of a third, or of the other.
            let of = |(factor, value): Choice| {
                let own = (factor, BTreeSet::from([value]));
                self.factors[factor].when.iter().cloned().chain([own]).collect::<Vec<_>>()
            };
            let (of_a, of_b) = (of(a), of(b));
            of_a.iter().any(|(x, of_x)| of_b.iter().any(|(y, of_y)| x == y && of_x.is_disjoint(of_y)))
        };
        let all = self.choices().flat_map(|a| self.choices().filter(move |b| a.0 < b.0).map(move |b| [a, b]));
        all.filter(|&[a, b]| !apart(a, b)).collect()
    }

    /// The pairs that a combination has, of factors that matter in it.
    fn pairs_of(&self, combination: &Combination) -> impl Iterator<Item = [Choice; 2]> {
        let matters =
            |factor: &Factor| factor.when.iter().all(|(other, allowed)| allowed.contains(&combination[*other]));
        let chosen = combination.iter().enumerate().filter(|&(factor, _)| matters(&self.factors[factor]));
        let chosen: Vec<Choice> = chosen.map(|(factor, &value)| (factor, value)).collect();
        (0..chosen.len()).flat_map(move |j| (0..j).map(|i| [chosen[i], chosen[j]]).collect::<Vec<_>>())
    }

    /// A combination with this pair: the other factors, one after the other in a random order, take the value that is
    /// in most missing pairs with those before.
    fn complete(&self, pair: [Choice; 2], missing: &BTreeSet<[Choice; 2]>, random: &mut Random) -> Combination {
        let mut chosen: Vec<Option<usize>> = vec![None; self.factors.len()];
        for (factor, value) in pair {
            chosen[factor] = Some(value);
        }
        // Both must matter.
        for (factor, _) in pair {
            for (other, allowed) in &self.factors[factor].when {
                let both = |value: &&usize| pair.iter().all(|&(factor, _)| self.allows(factor, *other, **value));
                let allowed: Vec<_> = allowed.iter().filter(both).collect();
                chosen[*other] = chosen[*other].or_else(|| Some(**random.choose(&allowed)));
            }
        }
        let mut rest: Vec<_> = (0..self.factors.len()).filter(|&factor| chosen[factor].is_none()).collect();
        while !rest.is_empty() {
            let factor = rest.swap_remove(random.below(rest.len() as u32) as usize);
            let gain = |value: usize| {
                let with = chosen.iter().enumerate().filter_map(|(other, &value)| Some((other, value?)));
                let pairs = with
                    .map(|other| if other.0 < factor { [other, (factor, value)] } else { [(factor, value), other] });
                pairs.filter(|pair| missing.contains(pair)).count()
            };
            let gains = (0..self.factors[factor].values.len()).map(|value| (gain(value), random.next_u32(), value));
            chosen[factor] = gains.max().map(|(.., value)| value);
        }
        chosen.into_iter().map(|value| value.expect("all are chosen")).collect()
    }

    /// Whether a factor can matter while another has a value.
    fn allows(&self, factor: usize, other: usize, value: usize) -> bool {
        self.factors[factor].when.iter().all(|(sibling, allowed)| *sibling != other || allowed.contains(&value))
    }

    /// How many of the first combinations it takes until every value has occurred.
    pub fn until_every_value(&self) -> usize {
        let mut left: BTreeSet<_> = self.choices().collect();
        let mut count = 0;
        for combination in &self.combinations {
            if left.is_empty() {
                break;
            }
            count += 1;
            for choice in combination.iter().copied().enumerate() {
                left.remove(&choice);
            }
        }
        let left: Vec<_> = left.into_iter().map(|choice| self.describe(&[choice])).collect();
        assert!(left.is_empty(), "no accepted config has {}", left.join(", "));
        count
    }
}
