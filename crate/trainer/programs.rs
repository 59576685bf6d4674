//! The plan's recordings on the engine, compiled when they are first needed.

use crate::engine::{Engine, ProgramId};
use crate::error::Result;
use crate::plan::{Pass, Plan};
use crate::tape::Recording;

/// The plan's recordings on the engine, as far as they are compiled.
#[derive(Default)]
pub(super) struct Programs {
    /// By [`Plan::passes`].
    passes: Vec<ProgramId>,
    validate: Option<ProgramId>,
    decode: Option<ProgramId>,
}

pub(super) type Progress<'a> = &'a mut dyn FnMut(usize, usize);

impl Programs {
    /// All that trains; with `replicas`, which make the gradients, only what follows these.
    pub(super) async fn train(
        &mut self,
        engine: &mut Engine,
        plan: &Plan,
        replicas: bool,
        progress: Progress<'_>,
    ) -> Result<()> {
        let all: usize = plan.passes().map(|pass| pass.recording.ops.len()).sum();
        let mut before = 0;
        for Pass { recording, .. } in plan.passes() {
            let played = if replicas { &recording.end() } else { recording };
            self.passes.push(engine.add(played, &mut |done, _| progress(before + done, all)).await?);
            before += recording.ops.len();
        }
        Ok(())
    }

    /// The same anew, all of it, on the CPU, where that takes no time.
    pub(super) fn train_now(&mut self, engine: &mut Engine, plan: &Plan) {
        let add = |pass: &Pass| engine.add_now(&pass.recording).expect("replicas work for the CPU");
        self.passes = plan.passes().map(add).collect();
    }

    /// What a pass plays, by its index.
    pub(super) fn pass(&self, index: usize) -> ProgramId {
        self.passes[index]
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
