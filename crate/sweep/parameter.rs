//! What a parameter may be: a constant, values, or a distribution to draw from.

use serde_json::{Map, Value, json};

use super::Method;
use crate::config;
use crate::error::Problem;
use crate::random::Random;

/// A parameter of a sweep: how its field gets its value in each run.
#[derive(Clone, Debug, PartialEq)]
pub enum Parameter {
    Constant(Value),
    /// One of these; with `probabilities`, in random sweeps, not all alike.
    Values {
        values: Vec<Value>,
        probabilities: Option<Vec<f64>>,
    },
    Drawn(Distribution),
}

/// One of W&B's distributions by its name. `at` and `to` are min and max, or mu and sigma.
#[derive(Clone, Debug, PartialEq)]
pub struct Distribution {
    name: &'static str,
    shape: Shape,
    at: f64,
    to: f64,
    /// Draws are multiples of it.
    q: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Integers,
    Uniform,
    /// Uniform in the exponent of e; min and max are exponents.
    Exponent,
    /// Uniform in the logarithm; min and max are values.
    Log,
    Normal,
    /// The logarithm is normal.
    LogNormal,
}

/// (name, shape, whether its draws are multiples of q)
const DISTRIBUTIONS: [(&str, Shape, bool); 11] = [
    ("int_uniform", Shape::Integers, false),
    ("uniform", Shape::Uniform, false),
    ("q_uniform", Shape::Uniform, true),
    ("log_uniform", Shape::Exponent, false),
    ("q_log_uniform", Shape::Exponent, true),
    ("log_uniform_values", Shape::Log, false),
    ("q_log_uniform_values", Shape::Log, true),
    ("normal", Shape::Normal, false),
    ("q_normal", Shape::Normal, true),
    ("log_normal", Shape::LogNormal, false),
    ("q_log_normal", Shape::LogNormal, true),
];

/// W&B's distributions that are not drawn from, and what to take in their place.
const OTHERS: [(&str, &str); 4] = [
    ("inv_log_uniform", "Take log_uniform: it draws the same."),
    ("inv_log_uniform_values", "Take log_uniform_values: it draws the same."),
    ("beta", "Take uniform, or values with probabilities."),
    ("q_beta", "Take q_uniform, or values with probabilities."),
];

/// The parameters by dotted paths, out of the nested form too.
pub(super) fn flatten(
    prefix: &str,
    parameters: &Map<String, Value>,
    specs: &mut Vec<(String, Map<String, Value>)>,
    problems: &mut Vec<Problem>,
) {
    for (name, spec) in parameters {
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match spec.as_object() {
            None => {
                let advice = format!("Write `{name}: {{value: {spec}}}`, or `values:` and a list.");
                problems.push(Problem::new(path, spec, "{value: …}, {values: […]} or {min: …, max: …}", advice));
            }
            Some(spec) => match spec.get("parameters").and_then(Value::as_object) {
                Some(inner) => flatten(&path, inner, specs, problems),
                None => specs.push((path, spec.clone())),
            },
        }
    }
}

impl Parameter {
    pub(super) fn parse(
        path: &str,
        spec: &Map<String, Value>,
        method: Option<Method>,
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        let field = config::field(path).map_err(|problem| problems.push(problem)).ok()?;
        let parameter = Spec { path, spec, field: &field, method }.parse();
        parameter.map_err(|problem| problems.push(*problem)).ok()
    }

    /// As W&B writes it.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Constant(value) => json!({ "value": value }),
            Self::Values { values, probabilities: None } => json!({ "values": values }),
            Self::Values { values, probabilities } => json!({ "values": values, "probabilities": probabilities }),
            Self::Drawn(Distribution { name, shape, at, to, q }) => {
                let [first, second] = shape.ends();
                let mut json = json!({ "distribution": name, first: super::number(*at), second: super::number(*to) });
                if let Some(q) = q {
                    json["q"] = super::number(*q);
                }
                json
            }
        }
    }

    /// How many values there are; None for a constant. Only those of grids can be counted.
    pub(super) fn count(&self) -> Option<u64> {
        match self {
            Self::Constant(_) => None,
            Self::Values { values, .. } => Some(values.len() as u64),
            Self::Drawn(drawn) if drawn.shape == Shape::Integers => Some((drawn.to - drawn.at) as u64 + 1),
            Self::Drawn(_) => Some(u64::MAX),
        }
    }

    /// Value `i` in a grid.
    pub(super) fn nth(&self, i: u64) -> Value {
        match self {
            Self::Constant(value) => value.clone(),
            Self::Values { values, .. } => values[i as usize].clone(),
            Self::Drawn(drawn) => super::number(drawn.at + i as f64),
        }
    }

    pub(super) fn draw(&self, random: &mut Random) -> Value {
        match self {
            Self::Constant(value) => value.clone(),
            Self::Values { values, probabilities: None } => random.choose(values).clone(),
            Self::Values { values, probabilities: Some(probabilities) } => {
                let mut at = f64::from(random.uniform()) * probabilities.iter().sum::<f64>();
                let chosen = probabilities.iter().position(|share| {
                    at -= share;
                    at < 0.0
                });
                // Rounding may leave a little over: it is the last one's that can be drawn.
                let last = || probabilities.iter().rposition(|&share| share > 0.0).unwrap_or(0);
                values[chosen.unwrap_or_else(last)].clone()
            }
            Self::Drawn(distribution) => super::number(distribution.draw(random)),
        }
    }
}

impl Shape {
    fn ends(self) -> [&'static str; 2] {
        if self.is_bounded() { ["min", "max"] } else { ["mu", "sigma"] }
    }

    fn is_bounded(self) -> bool {
        !matches!(self, Self::Normal | Self::LogNormal)
    }
}

impl Distribution {
    fn draw(&self, random: &mut Random) -> f64 {
        let Self { at, to, .. } = *self;
        let between = |a: f64, b: f64, random: &mut Random| a + f64::from(random.uniform()) * (b - a);
        let drawn = match self.shape {
            Shape::Integers => return at + f64::from(random.below((to - at) as u32 + 1)),
            Shape::Uniform => between(at, to, random),
            Shape::Exponent => between(at, to, random).exp(),
            Shape::Log => between(at.ln(), to.ln(), random).exp(),
            Shape::Normal => at + to * f64::from(random.normal()),
            Shape::LogNormal => (at + to * f64::from(random.normal())).exp(),
        };
        let drawn = self.q.map_or(drawn, |q| (drawn / q).round() * q);
        // Six digits are enough, and the same on machines whose logarithms differ in the last bit.
        let drawn: f64 = format!("{drawn:.5e}").parse().expect("a number that was just written");
        match self.shape {
            Shape::Uniform | Shape::Log if self.q.is_none() => drawn.clamp(at, to),
            _ => drawn,
        }
    }
}

/// A parameter on its way in.
struct Spec<'a> {
    path: &'a str,
    spec: &'a Map<String, Value>,
    /// The field's schema.
    field: &'a Value,
    method: Option<Method>,
}

impl Spec<'_> {
    fn parse(&self) -> Result<Parameter, Box<Problem>> {
        let has = |key: &str| self.spec.contains_key(key);
        let name = match self.spec.get("distribution") {
            Some(name) => name.as_str().ok_or_else(|| self.problem("a distribution by its name", "See the form."))?,
            None if has("value") => "constant",
            None if has("probabilities") => "categorical_w_probabilities",
            None if has("values") => "categorical",
            None if has("min") && has("max") => {
                let whole = |key: &str| self.spec[key].as_i64().is_some();
                if whole("min") && whole("max") { "int_uniform" } else { "uniform" }
            }
            None => {
                let allowed = "{value: …}, {values: […]}, {min: …, max: …} or {distribution: …, …}";
                return Err(self.problem(allowed, "Say what values it takes."));
            }
        };
        match name {
            "constant" => {
                self.only(&["value"])?;
                Ok(Parameter::Constant(self.fit(&self.spec.get("value").cloned().unwrap_or_default())))
            }
            "categorical" | "categorical_w_probabilities" => self.values(name == "categorical_w_probabilities"),
            _ => self.distribution(name).map(Parameter::Drawn),
        }
    }

    fn values(&self, weighted: bool) -> Result<Parameter, Box<Problem>> {
        self.only(if weighted { &["values", "probabilities"] } else { &["values"] })?;
        let values = self.spec.get("values").and_then(Value::as_array).filter(|values| !values.is_empty());
        let values = values.ok_or_else(|| self.problem("a list of one value at least", "Write `values: [a, b]`."))?;
        let values: Vec<Value> = values.iter().map(|value| self.fit(value)).collect();
        if let Some(twice) = values.iter().enumerate().find(|(i, value)| values[..*i].contains(value)) {
            let allowed = format!("each value once, not {} twice", twice.1);
            return Err(self.problem(&allowed, "Remove one; to repeat runs, list values of training.seed."));
        }
        if !weighted {
            return Ok(Parameter::Values { values, probabilities: None });
        }
        if self.method == Some(Method::Grid) {
            return Err(self.problem("values without probabilities in a grid", "Remove them, or take method random."));
        }
        let shares = self.spec.get("probabilities").and_then(Value::as_array);
        let shares: Option<Vec<f64>> = shares.and_then(|shares| shares.iter().map(Value::as_f64).collect());
        let shares = shares.filter(|shares| {
            let sum: f64 = shares.iter().sum();
            shares.len() == values.len() && shares.iter().all(|&share| share >= 0.0) && (sum - 1.0).abs() < 1e-6
        });
        let allowed = "a probability for each value, together 1";
        let probabilities = shares.ok_or_else(|| self.problem(allowed, "Mend the list."))?;
        Ok(Parameter::Values { values, probabilities: Some(probabilities) })
    }

    fn distribution(&self, name: &str) -> Result<Distribution, Box<Problem>> {
        let Some(&(name, shape, quantised)) = DISTRIBUTIONS.iter().find(|(known, ..)| *known == name) else {
            let known: Vec<&str> = DISTRIBUTIONS.iter().map(|&(name, ..)| name).collect();
            let instead =
                OTHERS.iter().find(|(other, _)| *other == name).map_or("Choose one of them.", |(_, advice)| advice);
            return Err(self.problem(&format!("a distribution out of {}", known.join(", ")), instead));
        };
        let [first, second] = shape.ends();
        self.only(&[first, second, "q"][..if quantised { 3 } else { 2 }])?;
        let get = |key: &str, default: Option<f64>| {
            let value = self.spec.get(key).map_or(default, Value::as_f64);
            value
                .filter(|value| value.is_finite())
                .ok_or_else(|| self.problem(&format!("a number as {key}"), "Write one."))
        };
        let defaults = if shape.is_bounded() { [None, None] } else { [Some(0.0), Some(1.0)] };
        let (at, to) = (get(first, defaults[0])?, get(second, defaults[1])?);
        let q = if quantised { Some(get("q", Some(1.0))?) } else { None };
        match shape {
            _ if shape.is_bounded() && at > to => return Err(self.problem("a min that is at most max", "Swap them.")),
            Shape::Integers if at.fract() != 0.0 || to.fract() != 0.0 || to - at >= f64::from(u32::MAX) => {
                return Err(self.problem("whole numbers, less than 2³² of them", "Round them, or take uniform."));
            }
            Shape::Log if at <= 0.0 => return Err(self.problem("a min above 0", "Raise it, or take uniform.")),
            Shape::Normal | Shape::LogNormal if to < 0.0 => {
                return Err(self.problem("a sigma of 0 or more", "Raise it."));
            }
            _ if q.is_some_and(|q| q <= 0.0) => return Err(self.problem("a q above 0", "Raise it.")),
            _ => (),
        }
        let whole = shape == Shape::Integers || q.is_some_and(|q| q.fract() == 0.0);
        match self.field["type"].as_str() {
            Some("integer") if !whole => {
                let advice = "Take int_uniform, or a distribution in steps: q_uniform with a whole q.";
                return Err(self.problem("a distribution of whole numbers", advice));
            }
            Some("integer" | "number") => (),
            _ => return Err(self.problem("values, for it is no number", "Write `values: [a, b]`.")),
        }
        if self.method == Some(Method::Grid) && shape != Shape::Integers {
            let allowed = "in a grid, a value, values, or int_uniform";
            return Err(self.problem(allowed, "List the values, or take method random."));
        }
        Ok(Distribution { name, shape, at, to, q })
    }

    /// As the field holds it: 96.0 is a whole number.
    fn fit(&self, value: &Value) -> Value {
        let whole = value.as_f64().filter(|_| self.field["type"] == "integer").map(super::number);
        whole.unwrap_or_else(|| value.clone())
    }

    fn only(&self, known: &[&str]) -> Result<(), Box<Problem>> {
        let known: Vec<&str> = known.iter().copied().chain(["distribution"]).collect();
        match self.spec.keys().find(|key| !known.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => Err(self.problem(&known.join(", "), &format!("Remove `{key}`."))),
        }
    }

    fn problem(&self, allowed: &str, advice: &str) -> Box<Problem> {
        Box::new(Problem::new(self.path, json!(self.spec), allowed, advice))
    }
}
