//! The run's state in its folder: when it is saved, and what is left of a run whose device is gone.

use std::path::Path;
use std::time::{Duration, Instant};

use trainlab::error::Result;
use trainlab::trainer::Trainer;

use crate::files::{self, CHECKPOINT};

/// Between two saves of a run that is training.
const EVERY: Duration = Duration::from_secs(60);

pub struct Saves<'a> {
    /// None where the run is not kept.
    folder: Option<&'a Path>,
    /// The step that lies there.
    step: Option<u32>,
    next: Instant,
}

impl<'a> Saves<'a> {
    /// `step`: the one that the folder holds already.
    pub fn new(folder: Option<&'a Path>, step: Option<u32>) -> Self {
        Self { folder, step, next: Instant::now() + EVERY }
    }

    pub fn due(&self) -> bool {
        self.folder.is_some() && Instant::now() >= self.next
    }

    pub async fn save(&mut self, trainer: &mut Trainer) -> Result<()> {
        let Some(folder) = self.folder else { return Ok(()) };
        let checkpoint = trainer.checkpoint().await?;
        files::replace(&folder.join(CHECKPOINT), &checkpoint.to_bytes(&trainer.plan.parameters))?;
        self.step = Some(checkpoint.header.step);
        self.next = Instant::now() + EVERY;
        Ok(())
    }

    /// After the loss of the device, and with it of the weights: how to go on.
    pub fn ways_on(&self, finished: u32) -> String {
        match (self.folder, self.step) {
            (Some(folder), Some(step)) => format!(
                "Step {step} is saved; the {} steps since then are lost. Go on with `trainlab train --resume {}`, and \
                 with --device cpu if the GPU stays away.",
                finished.saturating_sub(step),
                folder.display()
            ),
            _ => format!(
                "Nothing of its {finished} steps was saved. Start again: --out DIR keeps the run, --device cpu does \
                 without the GPU."
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_run_says_how_to_go_on() {
        let told = Saves::new(Some(Path::new("runs/a")), Some(1200)).ways_on(1234);
        assert!(told.contains("Step 1200 is saved; the 34 steps"), "{told}");
        assert!(told.contains("`trainlab train --resume runs/a`") && told.contains("--device cpu"), "{told}");
        for folder in [None, Some(Path::new("runs/a"))] {
            let told = Saves::new(folder, None).ways_on(7);
            assert!(told.contains("Nothing of its 7 steps was saved") && told.contains("--out DIR"), "{told}");
        }
    }
}
