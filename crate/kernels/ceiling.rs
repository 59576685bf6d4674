//! What an adapter can do at best: arithmetic without memory, and memory without arithmetic. No part of a run; other
//! kernels' speeds are read beside theirs.

use super::{Args, Binding, Spec, Step};
use crate::gpu::shader::Shader;
use crate::real::Real;

/// Chains of multiply-adds that do not wait for each other, four numbers wide.
const CHAINS: usize = 3;

/// out = c₁ + c₂ + c₃ where c_j starts as j·x and `rounds` times becomes c_j·x + x.
#[derive(Clone, Debug)]
pub struct Arithmetic {
    /// Numbers, a multiple of 4.
    pub len: usize,
    pub rounds: usize,
}

impl Spec for Arithmetic {
    fn bindings(&self) -> Vec<Binding> {
        vec![Binding::read("x", self.len).vec4(), Binding::write("out", self.len).vec4()]
    }

    fn shader(&self) -> Shader {
        Shader::new("arithmetic", self.bindings())
            .count("LEN4", self.len / 4)
            .count("ROUNDS", self.rounds)
            .count("CHAINS", CHAINS)
            .part(include_str!("../../shaders/arithmetic.wgsl"))
            .invocations(self.len / 4)
    }

    fn run<R: Real>(&self, args: Args<R>, _: &Step) {
        let [x, out] = args.take();
        for (&x, out) in x.read().iter().zip(out.write()) {
            let mut chains: [R; CHAINS] = std::array::from_fn(|j| R::of(j as f64 + 1.0) * x);
            for _ in 0..self.rounds {
                chains.iter_mut().for_each(|c| *c = *c * x + x);
            }
            *out = chains.into_iter().sum();
        }
    }

    fn flops(&self) -> u64 {
        (2 * CHAINS * self.rounds * self.len) as u64
    }
}

/// to = from.
#[derive(Clone, Debug)]
pub struct Copy {
    /// Numbers, a multiple of 4.
    pub len: usize,
}

impl Spec for Copy {
    fn bindings(&self) -> Vec<Binding> {
        vec![Binding::read("source", self.len).vec4(), Binding::write("copy", self.len).vec4()]
    }

    fn shader(&self) -> Shader {
        const EACH: usize = 4;
        Shader::new("copy", self.bindings())
            .count("LEN4", self.len / 4)
            .count("EACH", EACH)
            .part(include_str!("../../shaders/copy.wgsl"))
            .invocations((self.len / 4).div_ceil(EACH))
    }

    fn run<R: Real>(&self, args: Args<R>, _: &Step) {
        let [source, copy] = args.take();
        copy.write().copy_from_slice(source.read());
    }
}
