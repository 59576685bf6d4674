//! The parameters of a model: their names, shapes and first values, and where each lies in the arena.
//!
//! Names and shapes are those of PyTorch modules ([out, in] weights); checkpoints and exports use them.
//! The arena holds the matrices first (they decay), then the biases, then the norms (their gradients are summed in one
//! go), each tensor at a multiple of 256 bytes.

use std::ops::Range;

use crate::config::{Config, ModelConfig};
use crate::hash::fnv1a_32;
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

#[derive(Clone, Debug)]
pub struct Parameters {
    pub list: Vec<Parameter>,
    /// Length of the arena, padding included.
    pub len: usize,
    /// Weight decay applies to the elements before this one.
    pub decayed: usize,
    /// The norms' part of the arena.
    pub norms: Range<usize>,
}

impl Parameters {
    pub fn new(model: &ModelConfig, vocabulary: usize) -> Self {
        let [width, hidden, context] = [model.width, model.hidden, model.context].map(|n| n as usize);
        let normal = Init::Normal { deviation: 0.02 };
        // Every block adds twice to the residual stream: its variance must not grow with depth.
        let residual = Init::Normal { deviation: 0.02 / (2.0 * model.layers as f32).sqrt() };
        let zero = Init::Constant(0.0);

        let mut parameters = Self { list: vec![], len: 0, decayed: 0, norms: 0..0 };
        let blocks = || (0..model.layers).map(|i| format!("blocks.{i}"));
        parameters.add("tok_emb.weight".to_owned(), vec![vocabulary, width], normal);
        parameters.add("pos_emb.weight".to_owned(), vec![context, width], normal);
        for block in blocks() {
            parameters.add(format!("{block}.attn.qkv.weight"), vec![3 * width, width], normal);
            parameters.add(format!("{block}.attn.out.weight"), vec![width, width], residual);
            parameters.add(format!("{block}.mlp.up.weight"), vec![hidden, width], normal);
            parameters.add(format!("{block}.mlp.down.weight"), vec![width, hidden], residual);
        }
        if !model.tied_head {
            parameters.add("head.weight".to_owned(), vec![vocabulary, width], normal);
        }
        parameters.decayed = parameters.len;

        for block in blocks() {
            parameters.add(format!("{block}.attn.qkv.bias"), vec![3 * width], zero);
            parameters.add(format!("{block}.attn.out.bias"), vec![width], zero);
            parameters.add(format!("{block}.mlp.up.bias"), vec![hidden], zero);
            parameters.add(format!("{block}.mlp.down.bias"), vec![width], zero);
        }
        let first_norm = parameters.len;
        let norms = blocks().flat_map(|block| [format!("{block}.norm1"), format!("{block}.norm2")]);
        for norm in norms.chain(["norm_f".to_owned()]) {
            parameters.add(format!("{norm}.weight"), vec![width], Init::Constant(1.0));
            if model.norm.has_bias() {
                parameters.add(format!("{norm}.bias"), vec![width], zero);
            }
        }
        parameters.norms = first_norm..parameters.len;
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
