//! How many threads share a run's batches.

use std::rc::Rc;

use trainlab::config::Config;
use trainlab::data::Dataset;
use trainlab::engine::Device;
use trainlab::error::{Error, Problem, Result};
use trainlab::replicas::Threads;
use trainlab::trainer::Trainer;

#[derive(clap::Args)]
pub struct ReplicaArgs {
    /// On the CPU, spread each batch over so many threads with a replica of the model each. The same number gives the same run,
    /// bit for bit; others round its sums in another order.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    replicas: u16,
}

impl ReplicaArgs {
    /// Called before anything else: products would each use all cores, beside one another.
    pub fn prepare(&self) {
        const THREADS: &str = "MATMUL_NUM_THREADS";
        if self.replicas > 1 && std::env::var_os(THREADS).is_none() {
            // SAFETY: the program has one thread so far.
            unsafe { std::env::set_var(THREADS, "1") };
        }
    }

    /// A run, or what goes on from a saved one.
    ///
    /// # Errors
    /// Replicas on a GPU, or more than fit; and as [`Trainer::new`] and [`Trainer::resume`].
    pub async fn trainer(
        &self,
        config: &Config,
        dataset: Rc<Dataset>,
        device: &Device,
        saved: Option<&[u8]>,
    ) -> Result<Trainer> {
        if self.replicas == 1 {
            return match saved {
                None => Trainer::new(config, dataset, device, |_, _| ()).await,
                Some(bytes) => Trainer::resume(config, dataset, device, bytes, |_, _| ()).await,
            };
        }
        if let Device::Gpu(gpu) = device {
            let allowed = format!("1 on {}", gpu.name);
            let advice = "A GPU plays a whole batch at once: leave it out, or take --device cpu.";
            return Err(Error::refused(Problem::new("--replicas", self.replicas, allowed, advice)));
        }
        let mut trainer =
            Trainer::replicated(config, dataset, Box::new(Threads::new(usize::from(self.replicas) - 1))).await?;
        saved.map_or(Ok(()), |bytes| trainer.restore(bytes))?;
        Ok(trainer)
    }
}
