//! Workers that are none.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use trainlab::config::Config;
use trainlab::error::{Error, Result};
use trainlab::replicas::{Answer, Replica, Shard, Workers};

/// Their replicas play when somebody looks, the last first, one a look.
pub struct Late {
    count: usize,
    /// After so many answers, one has ended.
    answers: usize,
    replicas: Vec<Replica>,
    asked: Vec<(usize, Vec<u32>, Vec<f32>)>,
}

impl Late {
    pub fn new(count: usize) -> Self {
        Self { count, answers: usize::MAX, replicas: vec![], asked: vec![] }
    }

    pub fn ending_after(answers: usize) -> Self {
        Self { answers, ..Self::new(1) }
    }
}

impl Workers for Late {
    fn count(&self) -> usize {
        self.count
    }

    fn prepare(&mut self, worker: usize, config: &Config, vocabulary: usize, shard: Shard) {
        assert_eq!(worker, self.replicas.len());
        self.replicas.push(now(Replica::new(config, vocabulary, shard)).expect("it fits"));
    }

    fn send(&mut self, worker: usize, order: &[u32], parameters: &[f32]) {
        self.asked.push((worker, order.to_vec(), parameters.to_vec()));
    }

    fn poll(&mut self) -> Result<Option<Answer>> {
        if self.answers == 0 {
            return Err(Error::Device("a worker has ended".to_owned()));
        }
        let Some((worker, order, mut numbers)) = self.asked.pop() else { return Ok(None) };
        self.answers -= 1;
        let replica = &mut self.replicas[worker];
        replica.play(&order, &numbers)?;
        numbers.copy_from_slice(replica.gradients());
        numbers.extend(replica.losses());
        Ok(Some(Answer { worker, numbers }))
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn wait(&mut self) {}
}

/// What waits for nothing: the CPU has its programs at once.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}
