//! What an optimizer keeps: one arena for each kind of number, with a named, shaped piece for each parameter.

use std::ops::Range;

use super::{adafactor, adamw_8bit, muon};
use crate::config::{Config, OptimizerKind};
use crate::kernels::{finish_step, optimizer::update};
use crate::parameters::{Parameter, Parameters};
use crate::tape::{ALIGNMENT, Buffers, Purpose, Tensor, aligned};

/// The optimizer's memory.
pub struct State {
    pub arenas: Vec<(Arena, Tensor)>,
    /// Clipping's scale and whether the run has halted; see [`finish_step::FinishStep`].
    pub control: Tensor,
    /// The last step's loss, gradient norm and halt.
    pub metrics: Tensor,
}

/// How an arena of state is laid out.
#[derive(Clone, Debug, PartialEq)]
pub struct Arena {
    /// Of the numbers: m, v, …
    pub name: &'static str,
    /// Codes of 8 bits, four in an element, instead of numbers of 32.
    pub codes: bool,
    pub pieces: Vec<Piece>,
    /// In 4-byte elements, padding included.
    pub len: usize,
}

/// What is kept of one parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    /// The parameter's.
    pub name: String,
    pub shape: Vec<usize>,
    /// The elements of the arena that it lies in.
    pub range: Range<usize>,
}

impl Arena {
    /// A number, or a code, for each element of some parameters, in the parameters' order.
    pub fn of<'a>(name: &'static str, codes: bool, parameters: impl IntoIterator<Item = &'a Parameter>) -> Self {
        Self::shaped(name, codes, parameters.into_iter().map(|parameter| (parameter, parameter.shape.clone())))
    }

    /// Something of another shape for each of some parameters.
    pub fn shaped<'a>(
        name: &'static str,
        codes: bool,
        parameters: impl IntoIterator<Item = (&'a Parameter, Vec<usize>)>,
    ) -> Self {
        let mut arena = Self { name, codes, pieces: vec![], len: 0 };
        for (parameter, shape) in parameters {
            let count = shape.iter().product::<usize>();
            let len = if codes { count.div_ceil(4) } else { count };
            let range = arena.len..arena.len + len;
            arena.len += aligned(len);
            arena.pieces.push(Piece { name: parameter.name.clone(), shape, range });
        }
        arena
    }
}

impl State {
    pub fn new(config: &Config, parameters: &Parameters, buffers: &mut Buffers) -> Self {
        let mut add = |arena: Arena| {
            let tensor = buffers.add(arena.name, Purpose::Optimizer, arena.len);
            (arena, tensor)
        };
        // A model may have nothing of a kind, such as no small tensors; a buffer of no bytes cannot be bound.
        let arenas = arenas(config, parameters).into_iter().filter(|arena| arena.len > 0);
        Self {
            arenas: arenas.map(&mut add).collect(),
            control: buffers.add("control", Purpose::Traffic, finish_step::LEN),
            metrics: buffers.add("metrics", Purpose::Traffic, finish_step::LEN),
        }
    }

    /// The arena of numbers with this name.
    pub(super) fn tensor(&self, name: &str) -> Tensor {
        self.find(name, false)
    }

    /// What is kept of a parameter under a name.
    pub(super) fn piece(&self, name: &str, codes: bool, parameter: &Parameter) -> Tensor {
        let found = self.arenas.iter().find(|(arena, _)| arena.name == name && arena.codes == codes);
        let (arena, tensor) = found.unwrap_or_else(|| panic!("no `{name}` is kept"));
        let piece = arena.pieces.iter().find(|piece| piece.name == parameter.name);
        tensor.slice(piece.unwrap_or_else(|| panic!("no `{name}` of {}", parameter.name)).range.clone())
    }

    fn find(&self, name: &str, codes: bool) -> Tensor {
        let found = self.arenas.iter().find(|(arena, _)| arena.name == name && arena.codes == codes);
        found.unwrap_or_else(|| panic!("no `{name}` is kept")).1
    }
}

fn arenas(config: &Config, parameters: &Parameters) -> Vec<Arena> {
    let settings = &config.optimizer;
    match (update::state(settings), settings.kind) {
        (Some(names), _) => names.iter().map(|name| Arena::of(name, false, &parameters.list)).collect(),
        (None, OptimizerKind::Adamw8bit) => adamw_8bit::arenas(parameters),
        (None, OptimizerKind::Adafactor) => adafactor::arenas(parameters),
        (None, OptimizerKind::Muon) => muon::arenas(parameters),
        (None, other) => panic!("{other:?} keeps what nobody knows"),
    }
}

/// Bits of state that an element of a matrix has at least: a lower bound for runs that are too large to be planned.
pub fn least_bits(config: &Config) -> u64 {
    match (update::state(&config.optimizer), config.optimizer.kind) {
        (Some(names), _) => 32 * names.len() as u64,
        (None, OptimizerKind::Adamw8bit) => 16,
        (None, OptimizerKind::Muon) => 32,
        (None, _) => 0,
    }
}

/// Parameters one after the other in their arena, and where what is kept of them lies in an arena of theirs alone.
pub(super) struct Run {
    pub parameters: Range<usize>,
    pub state: Range<usize>,
}

/// Splits those parameters that `take` takes into runs, as long as can be. Padding goes with what it follows.
pub(super) fn runs(parameters: &Parameters, take: impl Fn(&Parameter) -> bool) -> Vec<Run> {
    let mut runs: Vec<Run> = vec![];
    let mut kept = 0;
    for parameter in parameters.list.iter().filter(|parameter| take(parameter)) {
        let start = parameter.range.start;
        let len = aligned(parameter.range.len());
        let state = kept..kept + len;
        kept += len;
        match runs.last_mut() {
            Some(run) if run.parameters.end == start => {
                (run.parameters.end, run.state.end) = (start + len, state.end);
            }
            _ => runs.push(Run { parameters: start..start + len, state }),
        }
    }
    debug_assert!(kept.is_multiple_of(ALIGNMENT), "tensors are aligned");
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::OptimizerConfig;

    #[test]
    fn runs_and_arenas_agree_on_where_things_lie() {
        let config = Config::default();
        let parameters = Parameters::new(&config.model, 57);
        for take in [
            |parameter: &Parameter| parameter.shape.len() == 1,
            |parameter: &Parameter| parameter.name.contains("mlp"),
            |_: &Parameter| true,
        ] {
            let taken = || parameters.list.iter().filter(|parameter| take(parameter));
            let (arena, runs) = (Arena::of("m", false, taken()), runs(&parameters, take));
            for (parameter, piece) in taken().zip(&arena.pieces) {
                let run = runs.iter().find(|run| run.parameters.contains(&parameter.range.start)).unwrap();
                let offset = parameter.range.start - run.parameters.start;
                assert_eq!(run.state.start + offset, piece.range.start, "{}", parameter.name);
            }
            assert_eq!(runs.iter().map(|run| run.state.len()).sum::<usize>(), arena.len);
        }
        assert_eq!(runs(&parameters, |_| true).len(), 1);
    }

    #[test]
    fn bytes_of_state_are_those_that_each_rule_is_known_for() {
        // Nearly all of it in large matrices.
        let mut config = Config::default();
        let model = &mut config.model;
        (model.layers, model.width, model.heads, model.hidden) = (4, 512, 8, 2048);
        let parameters = Parameters::new(&config.model, 64);
        let expected = [
            (OptimizerKind::Sgd, 4.0..4.001),
            (OptimizerKind::Adam, 8.0..8.001),
            (OptimizerKind::Adamw, 8.0..8.001),
            (OptimizerKind::Adamw8bit, 2.03..2.1),
            (OptimizerKind::Lion, 4.0..4.001),
            (OptimizerKind::Sophia, 8.0..8.001),
            (OptimizerKind::Adafactor, 0.005..0.03),
            (OptimizerKind::Muon, 4.0..4.1),
        ];
        assert_eq!(expected.len(), OptimizerKind::ALL.len());
        for (kind, range) in expected {
            config.optimizer = OptimizerConfig::defaults(kind);
            let mut buffers = Buffers::default();
            State::new(&config, &parameters, &mut buffers);
            let bytes = buffers.bytes(Purpose::Optimizer) as f64 / parameters.count() as f64;
            assert!(range.contains(&bytes), "{kind:?}: {bytes} bytes a parameter");
        }
        config.optimizer = OptimizerConfig { momentum: 0.0, ..OptimizerConfig::defaults(OptimizerKind::Sgd) };
        let mut buffers = Buffers::default();
        State::new(&config, &parameters, &mut buffers);
        assert_eq!(buffers.bytes(Purpose::Optimizer), 0, "without momentum nothing is kept");
    }
}
