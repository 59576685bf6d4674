//! The plan's recordings on the engine, compiled when they are first needed.

use crate::engine::{Engine, ProgramId};
use crate::error::Result;
use crate::plan::{Pass, Plan};
use crate::tape::Recording;

/// The plan's recordings on the engine, as far as they are compiled.
#[derive(Default)]
pub(super) struct Programs {
    train: Option<ProgramId>,
    /// Beside `train`, where there is one.
    estimate: Option<ProgramId>,
    /// The same of each of the plan's shorter lengths.
    shorter: Vec<(Option<ProgramId>, Option<ProgramId>)>,
    validate: Option<ProgramId>,
    decode: Option<ProgramId>,
}

pub(super) type Progress<'a> = &'a mut dyn FnMut(usize, usize);

impl Programs {
    pub(super) async fn train(
        &mut self,
        engine: &mut Engine,
        plan: &Plan,
        progress: Progress<'_>,
    ) -> Result<ProgramId> {
        self.shorter.resize(plan.shorter.len(), (None, None));
        let whole = (&mut self.train, &plan.train);
        let mut all = vec![whole];
        all.extend(plan.estimate.as_ref().map(|pass| (&mut self.estimate, pass)));
        for ((train, estimate), shorter) in self.shorter.iter_mut().zip(&plan.shorter) {
            all.push((train, &shorter.train));
            all.extend(shorter.estimate.as_ref().map(|pass| (estimate, pass)));
        }
        let ops: usize = all.iter().map(|(_, pass)| pass.recording.ops.len()).sum();
        let mut before = 0;
        for (program, Pass { recording, .. }) in all {
            compiled(program, engine, recording, &mut |done, _| progress(before + done, ops)).await?;
            before += recording.ops.len();
        }
        Ok(self.training(None))
    }

    /// What a step plays at one of the plan's shorter lengths, or at the whole context.
    pub(super) fn training(&self, shorter: Option<usize>) -> ProgramId {
        shorter.map_or(self.train, |i| self.shorter[i].0).expect("it is compiled before the first step")
    }

    /// What comes before it, where there is such.
    pub(super) fn estimating(&self, shorter: Option<usize>) -> Option<ProgramId> {
        shorter.map_or(self.estimate, |i| self.shorter[i].1)
    }

    pub(super) async fn validate(
        &mut self,
        engine: &mut Engine,
        plan: &Plan,
        progress: Progress<'_>,
    ) -> Result<ProgramId> {
        compiled(&mut self.validate, engine, &plan.validate.recording, progress).await
    }

    pub(super) async fn decode(
        &mut self,
        engine: &mut Engine,
        plan: &Plan,
        progress: Progress<'_>,
    ) -> Result<ProgramId> {
        compiled(&mut self.decode, engine, &plan.decode.recording, progress).await
    }
}

async fn compiled(
    program: &mut Option<ProgramId>,
    engine: &mut Engine,
    recording: &Recording,
    progress: Progress<'_>,
) -> Result<ProgramId> {
    match *program {
        Some(program) => Ok(program),
        None => Ok(*program.insert(engine.add(recording, progress).await?)),
    }
}
