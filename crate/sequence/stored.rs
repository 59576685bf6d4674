//! Attention that stores its T × T matrix, timed beside attention that does not.

use serde::Serialize;

use crate::engine::Device;
use crate::error::Result;
use crate::kernels::Kernel;
use crate::kernels::attention::{AttentionForward, AttentionShape};
use crate::kernels::attention_stored::{AttentionMix, AttentionWeights};
use crate::profile;

/// Forward attention at one length, both ways.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Beside {
    pub length: usize,
    pub batch: usize,
    /// Of the kernel that holds a tile of the matrix at a time.
    pub tiled_seconds: f64,
    /// Of the two kernels that store it and read it; None where it is larger than the device binds.
    pub stored_seconds: Option<f64>,
    /// Of the matrix, (B, H, T, T).
    pub stored_bytes: u64,
    /// Of what the other keeps instead for its gradients: a number for each row, (B, H, T).
    pub tiled_bytes: u64,
}

/// Times both at each length with as many tokens, `budget` seconds a kernel.
///
/// # Errors
/// Where the device fails.
pub async fn beside(
    device: &Device,
    lengths: &[usize],
    [heads, head_size]: [usize; 2],
    tokens: usize,
    budget: f64,
    mut show: impl FnMut(Beside),
) -> Result<()> {
    for &length in lengths {
        let shape = AttentionShape::new((tokens / length).max(1), length, heads, head_size);
        let seconds = async |kernel: Kernel| -> Result<f64> {
            Ok(profile::alone(kernel, device, budget).await?.milliseconds / 1e3)
        };
        let stored_bytes = 4 * shape.weights_len() as u64;
        let fits = match device {
            Device::Gpu(gpu) => stored_bytes <= gpu.largest_binding(),
            Device::Cpu => true,
        };
        let stored_seconds = match fits {
            false => None,
            true => {
                let mix = seconds(AttentionMix(shape).into()).await?;
                Some(seconds(AttentionWeights(shape).into()).await? + mix)
            }
        };
        show(Beside {
            length,
            batch: shape.batch,
            tiled_seconds: seconds(AttentionForward(shape).into()).await?,
            stored_seconds,
            stored_bytes,
            tiled_bytes: 4 * shape.rows_len() as u64,
        });
    }
    Ok(())
}

/// From which length on the tiled one is faster at every length that was timed.
pub fn wins_from(rows: &[Beside]) -> Option<usize> {
    let slower = |row: &Beside| row.stored_seconds.is_some_and(|stored| row.tiled_seconds >= stored);
    let slower = rows.iter().rposition(slower);
    rows.get(slower.map_or(0, |at| at + 1)).map(|row| row.length)
}
