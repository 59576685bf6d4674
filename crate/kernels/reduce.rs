//! Sums that need more than one workgroup.

use super::{Args, Binding, Spec, Step};
use crate::gpu::shader::Shader;
use crate::real::Real;

/// out (S, W) = Σ_g shares (S, G, W): adds up the shares that groups of rows contributed to a gradient.
#[derive(Clone, Debug)]
pub struct SumGroups {
    pub sets: usize,
    pub groups: usize,
    pub width: usize,
    /// The sums are added to what is there.
    pub accumulate: bool,
}

impl Spec for SumGroups {
    fn bindings(&self) -> Vec<Binding> {
        let sums = if self.accumulate { Binding::update } else { Binding::write };
        vec![Binding::read("shares", self.sets * self.groups * self.width), sums("sums", self.sets * self.width)]
    }

    fn shader(&self) -> Shader {
        Shader::new("sum_groups", self.bindings())
            .count("COUNT", self.sets * self.width)
            .count("GROUPS", self.groups)
            .count("WIDTH", self.width)
            .flag("ACCUMULATE", self.accumulate)
            .part(include_str!("../../shaders/sum_groups.wgsl"))
            .invocations(self.sets * self.width)
    }

    fn run<R: Real>(&self, args: Args<R>, _: &Step) {
        let [shares, sums] = args.take();
        let sets = shares.read().chunks_exact(self.groups * self.width);
        for (shares, sums) in sets.zip(sums.write().chunks_exact_mut(self.width)) {
            if !self.accumulate {
                sums.fill(R::ZERO);
            }
            for share in shares.chunks_exact(self.width) {
                for (sum, &share) in sums.iter_mut().zip(share) {
                    *sum += share;
                }
            }
        }
    }
}

/// partial[g] = Σ x² over the g-th run of `CHUNK` elements; `FinishStep` adds them up.
#[derive(Clone, Debug)]
pub struct SquaredNorm {
    pub len: usize,
}

impl SquaredNorm {
    const CHUNK: usize = 4096;

    pub fn partials(len: usize) -> usize {
        len.div_ceil(Self::CHUNK)
    }
}

impl Spec for SquaredNorm {
    fn bindings(&self) -> Vec<Binding> {
        vec![Binding::read("x", self.len).vec4(), Binding::write("partials", Self::partials(self.len))]
    }

    fn shader(&self) -> Shader {
        assert!(self.len.is_multiple_of(4), "arenas are padded");
        Shader::new("squared_norm", self.bindings())
            .count("LEN4", self.len / 4)
            .count("CHUNK4", Self::CHUNK / 4)
            .count("PARTIALS", Self::partials(self.len))
            .part(include_str!("../../shaders/workgroup_sum.wgsl"))
            .part(include_str!("../../shaders/squared_norm.wgsl"))
            .workgroup([64, 1])
            .workgroups(Self::partials(self.len))
    }

    fn run<R: Real>(&self, args: Args<R>, _: &Step) {
        let [x, partials] = args.take();
        for (x, partial) in x.read().chunks(Self::CHUNK).zip(partials.write()) {
            // Eight sums side by side: the order is fixed and the loop vectorises.
            let mut lanes = [R::ZERO; 8];
            for x in x.chunks(8) {
                for (lane, &x) in lanes.iter_mut().zip(x) {
                    *lane += x * x;
                }
            }
            *partial = lanes.into_iter().sum();
        }
    }
}
