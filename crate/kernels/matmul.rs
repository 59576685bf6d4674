//! Matrix products: C (M, N) = A · B over K, any size, in the three layouts that a linear layer needs, with bias,
//! activation and residual fused into their ends.
//!
//! | layout | A stored | B stored | in a linear layer y = x Wᵀ |
//! |---|---|---|---|
//! | NT | (M, K) | (N, K) | y = x Wᵀ |
//! | NN | (M, K) | (K, N) | dx = dy W |
//! | TN | (K, M) | (K, N) | dW = dyᵀ x |

use serde::{Deserialize, Serialize};

use super::dropout::Mask;
use super::{Args, Binding, Spec, Step};
use crate::config::Activation;
use crate::gpu::shader::Shader;
use crate::kernels::tiling::{DEPTH, Tiling};
use crate::real::{MatMulShape, Real, Strided, StridedMut, wide};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Layout {
    NT,
    NN,
    TN,
}

/// What is done to C before it is stored, in this order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    /// C is added to what is stored already.
    pub accumulate: bool,
    /// `bias[n]` is added.
    pub bias: bool,
    pub activation: ActivationEnd,
    /// Elements are dropped.
    pub dropout: Option<Mask>,
    /// `residual[m, n]` is added.
    pub residual: bool,
    /// Beside C: `sums[m] = Σ_k A(m, k)`, the gradient of a bias. TN only. Accumulates when C does.
    pub sums: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ActivationEnd {
    #[default]
    None,
    /// `pre = C; C = act(C)`; of a gated activation `C = act(gate) · C`.
    Forward(Activation),
    /// `C = C · act′(pre)`; of a gated activation `dgate = C · pre · act′(gate); C = C · act(gate)`.
    Backward(Activation),
}

#[derive(Clone, Debug)]
pub struct MatMul {
    pub layout: Layout,
    /// Rows of C.
    pub m: usize,
    /// Columns of C.
    pub n: usize,
    /// The length that is summed over.
    pub k: usize,
    pub ends: Ends,
    /// How a GPU cuts it up; no concern of the CPU device.
    pub tiling: Tiling,
}

impl MatMul {
    pub fn new(layout: Layout, m: usize, n: usize, k: usize) -> Self {
        Self { layout, m, n, k, ends: Ends::default(), tiling: Tiling::small() }
    }

    pub fn with(self, ends: Ends) -> Self {
        assert!(!ends.sums || self.layout == Layout::TN, "column sums are gathered by TN products only");
        Self { ends, ..self }
    }

    /// `NT 1024×512×128`: layout, M, N, K.
    pub fn shape(&self) -> String {
        let Self { layout, m, n, k, .. } = self;
        format!("{layout:?} {m}×{n}×{k}")
    }

    /// The row length of A and B as stored.
    fn strides(&self) -> (usize, usize) {
        match self.layout {
            Layout::NT => (self.k, self.k),
            Layout::NN => (self.k, self.n),
            Layout::TN => (self.m, self.n),
        }
    }
}

impl Spec for MatMul {
    fn bindings(&self) -> Vec<Binding> {
        let Self { m, n, k, ends, .. } = *self;
        let (a_row, b_row) = self.strides();
        let c = if ends.accumulate { Binding::update("c", m * n) } else { Binding::write("c", m * n) };
        let mut bindings = vec![
            Binding::read("a", m * k).vec4_if_rows_of(a_row),
            Binding::read("b", n * k).vec4_if_rows_of(b_row),
            c.vec4_if_rows_of(n),
        ];
        if ends.bias {
            bindings.push(Binding::read("bias", n));
        }
        let of_c = |binding: fn(&'static str, usize) -> Binding, name| binding(name, m * n).vec4_if_rows_of(n);
        match ends.activation {
            ActivationEnd::None => {}
            ActivationEnd::Forward(activation) => {
                bindings.push(of_c(Binding::write, "pre"));
                bindings.extend(activation.is_gated().then(|| of_c(Binding::read, "gate")));
            }
            ActivationEnd::Backward(activation) => {
                bindings.push(of_c(Binding::read, "pre"));
                if activation.is_gated() {
                    bindings.extend([of_c(Binding::read, "gate"), of_c(Binding::write, "dgate")]);
                }
            }
        }
        if ends.residual {
            bindings.push(of_c(Binding::read, "residual"));
        }
        if ends.sums {
            bindings.push(if ends.accumulate { Binding::update("sums", m) } else { Binding::write("sums", m) });
        }
        bindings
    }

    fn shader(&self) -> Shader {
        let Self { layout, m, n, k, ends, tiling } = *self;
        let (a_row, b_row) = self.strides();
        let [rows, columns] = tiling.tile;
        let mut shader = Shader::new("matmul", self.bindings())
            .size("M", m)
            .size("N", n)
            .size("K", k)
            .size("A_ROW", a_row)
            .size("B_ROW", b_row)
            .count("ROWS", rows)
            .count("ROWS4", rows / 4)
            .count("LAST_ROW", rows - 1)
            .count("COLUMNS", columns)
            .count("COLUMNS4", columns / 4)
            .count("DEPTH", DEPTH)
            .count("SLICES", tiling.slices)
            .size("SLICE", k.div_ceil(tiling.slices).next_multiple_of(4))
            .flag("SLICED", tiling.slices > 1)
            .flag("A_ALONG_K", layout != Layout::TN)
            .flag("B_ALONG_K", layout == Layout::NT)
            .flag("A_VEC4", a_row.is_multiple_of(4))
            .flag("B_VEC4", b_row.is_multiple_of(4))
            .flag("C_VEC4", n.is_multiple_of(4))
            .flag("ACCUMULATE", ends.accumulate)
            .flag("BIAS", ends.bias)
            .flag("ACT_FORWARD", matches!(ends.activation, ActivationEnd::Forward(_)))
            .flag("ACT_BACKWARD", matches!(ends.activation, ActivationEnd::Backward(_)))
            .flag("DROPOUT", ends.dropout.is_some())
            .flag("RESIDUAL", ends.residual)
            .flag("SUMS", ends.sums)
            .part(include_str!("../../shaders/matmul/load.wgsl"))
            .part(match layout {
                Layout::NT | Layout::NN => include_str!("../../shaders/matmul/a_rows.wgsl"),
                Layout::TN => include_str!("../../shaders/matmul/a_columns.wgsl"),
            })
            .part(match layout {
                Layout::NT => include_str!("../../shaders/matmul/b_columns.wgsl"),
                Layout::NN | Layout::TN => include_str!("../../shaders/matmul/b_rows.wgsl"),
            })
            .part(include_str!("../../shaders/matmul/store.wgsl"))
            .part(if tiling.shared {
                include_str!("../../shaders/matmul/shared.wgsl")
            } else {
                include_str!("../../shaders/matmul/registers.wgsl")
            })
            .workgroup(tiling.workgroup)
            .grid(tiling.grid(m, n));
        if let ActivationEnd::Forward(activation) | ActivationEnd::Backward(activation) = ends.activation {
            shader = shader.flag("GATED", activation.is_gated()).part(activation.wgsl());
        }
        if let Some(mask) = ends.dropout {
            shader = mask.part(shader);
        }
        shader
    }

    fn run<R: Real>(&self, args: Args<R>, step: &Step) {
        let Self { m, n, k, ends, .. } = *self;
        let ([a, b, c], mut rest) = args.take_with_rest();
        let (a, b, c) = (a.read(), b.read(), c.write());
        let (a, b) = match self.layout {
            Layout::NT => (Strided { data: a, row: k, column: 1 }, Strided { data: b, row: 1, column: k }),
            Layout::NN => (Strided { data: a, row: k, column: 1 }, Strided { data: b, row: n, column: 1 }),
            Layout::TN => (Strided { data: a, row: 1, column: m }, Strided { data: b, row: n, column: 1 }),
        };
        let shape = MatMulShape { rows: m, inner: k, columns: n };
        R::matmul(shape, a, b, StridedMut { data: &mut *c, row: n, column: 1 }, ends.accumulate);

        let mut next = || rest.next().expect("the bindings promise it");
        let bias: Option<&[R]> = ends.bias.then(|| next().read());
        match ends.activation {
            ActivationEnd::None => add_bias(c, bias, n),
            ActivationEnd::Forward(activation) => {
                let pre = next().write();
                let gate: Option<&[R]> = activation.is_gated().then(|| next().read());
                // A few rows at a time: what is read again is still in the nearest cache.
                let part = 4096_usize.div_ceil(n) * n;
                for (i, (c, pre)) in c.chunks_mut(part).zip(pre.chunks_mut(part)).enumerate() {
                    add_bias(c, bias, n);
                    pre.copy_from_slice(c);
                    match gate {
                        Some(gate) => activation.gated_forward(c, &gate[i * part..][..c.len()]),
                        None => activation.forward(c),
                    }
                }
            }
            ActivationEnd::Backward(activation) => {
                add_bias(c, bias, n);
                let pre = next().read();
                if activation.is_gated() {
                    activation.gated_backward(c, pre, next().read(), next().write());
                } else {
                    activation.backward(c, pre);
                }
            }
        }
        if let Some(mask) = ends.dropout {
            mask.apply(step, c, n);
        }
        if ends.residual {
            let residual = next().read();
            wide(|| c.iter_mut().zip(residual).for_each(|(c, &residual)| *c += residual));
        }
        if ends.sums {
            let sums = next().write();
            if !ends.accumulate {
                sums.fill(R::ZERO);
            }
            wide(|| {
                for row in a.data[..k * m].chunks_exact(m) {
                    sums.iter_mut().zip(row).for_each(|(sum, &a)| *sum += a);
                }
            });
        }
    }

    fn workspace(&self) -> usize {
        MatMulShape { rows: self.m, inner: self.k, columns: self.n }.panels()
    }

    fn flops(&self) -> u64 {
        2 * self.m as u64 * self.n as u64 * self.k as u64
    }
}

/// Adds a bias (n) to each row of (rows, n).
fn add_bias<R: Real>(c: &mut [R], bias: Option<&[R]>, n: usize) {
    let Some(bias) = bias else { return };
    wide(|| {
        for row in c.chunks_exact_mut(n) {
            row.iter_mut().zip(bias).for_each(|(c, &bias)| *c += bias);
        }
    });
}
