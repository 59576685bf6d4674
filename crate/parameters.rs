//! The parameters of a model: their names, shapes and first values, and where each lies in the arena.
//!
//! Names and shapes are those of PyTorch modules ([out, in] weights); checkpoints and exports use them.
//! The arena holds the matrices first (they decay), then the biases, then the norms (their gradients are summed in one
//! go), each tensor at a multiple of 256 bytes.

use std::ops::Range;

use serde::Serialize;

use crate::config::{Config, ModelConfig, Position};
use crate::hash::fnv1a_32;
use crate::kernels::position;
use crate::random::{Random, Stream};
use crate::tape::aligned;

#[derive(Clone, Debug)]
pub struct Parameter {
    pub name: String,
    pub shape: Vec<usize>,
    /// Elements of the arena.
    pub range: Range<usize>,
    init: Init,
}

/// GPT-2's initialisation (Radford et al. 2019, and its code).
#[derive(Clone, Copy, Debug)]
enum Init {
    Normal { deviation: f32 },
    Constant(f32),
}

/// Trained numbers by part of the model, padding left out. A tied head has none of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Parts {
    pub embeddings: usize,
    pub attention: usize,
    pub mlp: usize,
    pub norms: usize,
    pub head: usize,
}

#[derive(Clone, Debug)]
pub struct Parameters {
    pub list: Vec<Parameter>,
    /// Length of the arena, padding included.
    pub len: usize,
    /// Weight decay applies to the elements before this one.
    pub decayed: usize,
    /// The norms' part of the arena.
    pub norms: Range<usize>,
    /// That of QK-norm: for each block the queries' weight, then the keys'.
    pub head_norms: Range<usize>,
}

impl Parameters {
    pub fn new(model: &ModelConfig, vocabulary: usize) -> Self {
        let [width, hidden, context] = [model.width, model.hidden_size(), model.context].map(|n| n as usize);
        let [qkv, head_size] = [model.qkv_width(), model.head_size()].map(|n| n as usize);
        let deviation = position::SIZE as f32;
        let normal = Init::Normal { deviation };
        // Every block adds twice to the residual stream: its variance must not grow with depth.
        let residual = Init::Normal { deviation: deviation / (2.0 * model.layers as f32).sqrt() };
        let zero = Init::Constant(0.0);

        let mut parameters = Self { list: vec![], len: 0, decayed: 0, norms: 0..0, head_norms: 0..0 };
        let blocks = || (0..model.layers).map(|i| format!("blocks.{i}"));
        parameters.add("tok_emb.weight".to_owned(), vec![vocabulary, width], normal);
        if model.position == Position::Learned {
            parameters.add("pos_emb.weight".to_owned(), vec![context, width], normal);
        }
        for block in blocks() {
            parameters.add(format!("{block}.attn.qkv.weight"), vec![qkv, width], normal);
            parameters.add(format!("{block}.attn.out.weight"), vec![width, width], residual);
            if model.activation.is_gated() {
                parameters.add(format!("{block}.mlp.gate.weight"), vec![hidden, width], normal);
            }
            parameters.add(format!("{block}.mlp.up.weight"), vec![hidden, width], normal);
            parameters.add(format!("{block}.mlp.down.weight"), vec![width, hidden], residual);
        }
        if !model.tied_head {
            parameters.add("head.weight".to_owned(), vec![vocabulary, width], normal);
        }
        parameters.decayed = parameters.len;

        for block in blocks().filter(|_| model.biases) {
            parameters.add(format!("{block}.attn.qkv.bias"), vec![qkv], zero);
            parameters.add(format!("{block}.attn.out.bias"), vec![width], zero);
            if model.activation.is_gated() {
                parameters.add(format!("{block}.mlp.gate.bias"), vec![hidden], zero);
            }
            parameters.add(format!("{block}.mlp.up.bias"), vec![hidden], zero);
            parameters.add(format!("{block}.mlp.down.bias"), vec![width], zero);
        }
        let first_norm = parameters.len;
        let norms = blocks().flat_map(|block| [format!("{block}.norm1"), format!("{block}.norm2")]);
        for norm in norms.chain(model.has_final_norm().then(|| "norm_f".to_owned())) {
            parameters.add(format!("{norm}.weight"), vec![width], Init::Constant(1.0));
            if model.norm_biases() {
                parameters.add(format!("{norm}.bias"), vec![width], zero);
            }
        }
        parameters.norms = first_norm..parameters.len;
        if model.qk_norm {
            for block in blocks() {
                for norm in ["q_norm", "k_norm"] {
                    let name = format!("{block}.attn.{norm}.weight");
                    parameters.add(name, vec![head_size], Init::Constant(1.0));
                }
            }
        }
        parameters.head_norms = parameters.norms.end..parameters.len;
        parameters
    }

    fn add(&mut self, name: String, shape: Vec<usize>, init: Init) {
        let range = self.len..self.len + shape.iter().product::<usize>();
        self.len += aligned(range.len());
        self.list.push(Parameter { name, shape, range, init });
    }

    pub fn get(&self, name: &str) -> &Parameter {
        let found = self.list.iter().find(|parameter| parameter.name == name);
        found.unwrap_or_else(|| panic!("the model has no parameter `{name}`"))
    }

    /// Number of parameters, padding left out.
    pub fn count(&self) -> usize {
        self.list.iter().map(|parameter| parameter.range.len()).sum()
    }

    /// Of these, those that grow with the vocabulary: the embedding, and the head unless it is the same.
    pub fn of_vocabulary(&self) -> usize {
        let grows = |parameter: &&Parameter| ["tok_emb.weight", "head.weight"].contains(&parameter.name.as_str());
        self.list.iter().filter(grows).map(|parameter| parameter.range.len()).sum()
    }

    pub fn parts(&self) -> Parts {
        let mut parts = Parts::default();
        for Parameter { name, range, .. } in &self.list {
            let part = match name.split('.').collect::<Vec<_>>()[..] {
                ["tok_emb" | "pos_emb", ..] => &mut parts.embeddings,
                ["blocks", _, "attn", ..] => &mut parts.attention,
                ["blocks", _, "mlp", ..] => &mut parts.mlp,
                ["blocks", _, "norm1" | "norm2", ..] | ["norm_f", ..] => &mut parts.norms,
                ["head", ..] => &mut parts.head,
                _ => panic!("`{name}` is a part of nothing"),
            };
            *part += range.len();
        }
        parts
    }

    /// The arena before the first step. A tensor's values depend on the seed and its name alone.
    pub fn initial(&self, config: &Config) -> Vec<f32> {
        let mut arena = vec![0.0; self.len];
        for parameter in &self.list {
            let values = &mut arena[parameter.range.clone()];
            match parameter.init {
                Init::Constant(value) => values.fill(value),
                Init::Normal { deviation } => {
                    let stream = Stream::Parameter(fnv1a_32(parameter.name.bytes()));
                    let mut random = Random::new(config.training.seed.into(), stream);
                    values.fill_with(|| random.normal() * deviation);
                }
            }
        }
        arena
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Activation, NormPosition};

    #[test]
    fn parameters_are_counted_as_by_hand() {
        // 4 layers, 128 wide, hidden 512, T 128, V 512, untied: 0.94 M.
        let mut model = ModelConfig { layers: 4, width: 128, hidden: 512, context: 128, ..Default::default() };
        model.tied_head = false;
        let block = 3 * 128 * 128 + 3 * 128 + 128 * 128 + 128 + 2 * 512 * 128 + 512 + 128 + 4 * 128;
        assert_eq!(Parameters::new(&model, 512).count(), 512 * 128 + 128 * 128 + 4 * block + 2 * 128 + 512 * 128);
        assert_eq!(Parameters::new(&model, 512).of_vocabulary(), 2 * 512 * 128);
        model.tied_head = true;
        assert_eq!(Parameters::new(&model, 512).count(), 512 * 128 + 128 * 128 + 4 * block + 2 * 128);
        assert_eq!(Parameters::new(&model, 512).of_vocabulary(), 512 * 128);
    }

    #[test]
    fn parts_are_counted_as_by_hand() {
        // 2 layers, 16 wide, T 8, V 10; the gated MLP takes 2/3 of 50, 33.3, in eights: 32.
        let mut model =
            ModelConfig { layers: 2, width: 16, hidden: 50, context: 8, tied_head: false, ..Default::default() };
        model.activation = Activation::Swiglu;
        let parts = Parameters::new(&model, 10).parts();
        let attention = 2 * (48 * 16 + 48 + 16 * 16 + 16);
        let mlp = 2 * (3 * 32 * 16 + 32 + 32 + 16);
        assert_eq!(parts, Parts { embeddings: 18 * 16, attention, mlp, norms: 5 * 32, head: 160 });
        // Without biases, with a norm after each branch, and with the whole hidden size.
        (model.biases, model.norm_position, model.equal_parameters) = (false, NormPosition::Post, false);
        let parts = Parameters::new(&model, 10).parts();
        let (attention, mlp) = (2 * 64 * 16, 2 * 3 * 50 * 16);
        assert_eq!(parts, Parts { embeddings: 18 * 16, attention, mlp, norms: 4 * 16, head: 160 });
        model.tied_head = true;
        assert_eq!(Parameters::new(&model, 10).parts().head, 0);
    }

    #[test]
    fn a_gate_leaves_the_number_of_parameters_as_it_was() {
        let mut model = ModelConfig::default();
        let mlp = |model: &ModelConfig| Parameters::new(model, 10).parts().mlp;
        (model.biases, model.hidden) = (false, 384);
        let without = mlp(&model);
        model.activation = Activation::Geglu;
        assert_eq!(mlp(&model), without);
        // 2/3 of 8 are 5.3, of 16 10.7, of 18 12, of 20 13.3, of 29 19.3, of 30 20; what lies between two goes up.
        for (hidden, expected) in [(8, 8), (16, 8), (18, 16), (20, 16), (29, 16), (30, 24), (384, 256)] {
            model.hidden = hidden;
            assert_eq!(model.hidden_size(), expected, "2/3 of {hidden}");
        }
        model.equal_parameters = false;
        assert_eq!(model.hidden_size(), 384);
    }

    #[test]
    fn what_attention_needs_follows_the_options() {
        let mut model = ModelConfig { layers: 2, width: 96, heads: 6, context: 64, ..Default::default() };
        let shape = |model: &ModelConfig, name: &str| {
            let parameters = Parameters::new(model, 65);
            parameters.list.into_iter().find(|parameter| parameter.name == name).map(|parameter| parameter.shape)
        };
        assert_eq!(shape(&model, "pos_emb.weight"), Some(vec![64, 96]));
        assert_eq!(shape(&model, "blocks.1.attn.q_norm.weight"), None);
        for position in [Position::None, Position::Sinusoidal, Position::Rope, Position::Alibi] {
            model.position = position;
            assert_eq!(shape(&model, "pos_emb.weight"), None);
        }
        // 6 heads of queries, 2 of keys, 2 of values, 16 channels each.
        (model.kv_heads, model.qk_norm) = (2, true);
        assert_eq!(shape(&model, "blocks.1.attn.qkv.weight"), Some(vec![160, 96]));
        assert_eq!(shape(&model, "blocks.1.attn.qkv.bias"), Some(vec![160]));
        assert_eq!(shape(&model, "blocks.1.attn.k_norm.weight"), Some(vec![16]));
    }

    #[test]
    fn initial_values_have_their_deviation_and_repeat() {
        let config = Config::default();
        let parameters = Parameters::new(&config.model, 512);
        let arena = parameters.initial(&config);
        assert_eq!(arena, parameters.initial(&config));
        let deviation = |name: &str| {
            let values = &arena[parameters.get(name).range.clone()];
            (values.iter().map(|v| v * v).sum::<f32>() / values.len() as f32).sqrt()
        };
        assert!((deviation("tok_emb.weight") - 0.02).abs() < 5e-4);
        assert!((deviation("blocks.0.mlp.down.weight") - 0.02 / 6f32.sqrt()).abs() < 3e-4);
        assert_eq!(deviation("norm_f.weight"), 1.0);
        assert_eq!(deviation("blocks.1.mlp.up.bias"), 0.0);
    }
}
