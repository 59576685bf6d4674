//! Replicas on threads of their own.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use super::{Answer, Replica, Shard, Workers};
use crate::config::Config;
use crate::error::{Error, Result};

enum Request {
    Prepare(Box<Config>, usize, Shard),
    Play(Vec<u32>, Vec<f32>),
}

/// They end when this is dropped.
pub struct Threads {
    requests: Vec<Sender<Request>>,
    answers: Receiver<Result<Answer>>,
    /// One that was waited for.
    next: Option<Result<Answer>>,
}

/// Tells of a thread that panics.
struct End(Sender<Result<Answer>>);

impl Drop for End {
    fn drop(&mut self) {
        if thread::panicking() {
            let _ = self.0.send(Err(Error::Device("a thread of the CPU device has ended".to_owned())));
        }
    }
}

impl Threads {
    pub fn new(count: usize) -> Self {
        let (sender, answers) = channel();
        let start = |worker| {
            let (requests, received) = channel();
            let answers = sender.clone();
            thread::spawn(move || {
                let end = End(answers);
                pollster::block_on(work(worker, &received, &end.0));
            });
            requests
        };
        Self { requests: (0..count).map(start).collect(), answers, next: None }
    }

    fn request(&self, worker: usize, request: Request) {
        // A thread that has ended has said why.
        let _ = self.requests[worker].send(request);
    }
}

/// Until nobody asks or listens any more.
async fn work(worker: usize, requests: &Receiver<Request>, answers: &Sender<Result<Answer>>) {
    let mut replica = None;
    while let Ok(request) = requests.recv() {
        let result = match request {
            Request::Prepare(config, vocabulary, shard) => match Replica::new(&config, vocabulary, shard).await {
                Ok(made) => {
                    replica = Some(made);
                    continue;
                }
                Err(error) => Err(error),
            },
            Request::Play(order, mut numbers) => {
                let replica = replica.as_mut().expect("it is prepared before it is asked");
                replica.play(&order, &numbers).map(|()| {
                    numbers.copy_from_slice(replica.gradients());
                    numbers.extend(replica.losses());
                    Answer { worker, numbers }
                })
            }
        };
        if answers.send(result).is_err() {
            return;
        }
    }
}

impl Workers for Threads {
    fn count(&self) -> usize {
        self.requests.len()
    }

    fn prepare(&mut self, worker: usize, config: &Config, vocabulary: usize, shard: Shard) {
        self.request(worker, Request::Prepare(Box::new(config.clone()), vocabulary, shard));
    }

    fn send(&mut self, worker: usize, order: &[u32], parameters: &[f32]) {
        self.request(worker, Request::Play(order.to_vec(), parameters.to_vec()));
    }

    fn poll(&mut self) -> Result<Option<Answer>> {
        self.next.take().or_else(|| self.answers.try_recv().ok()).transpose()
    }

    fn wait(&mut self) {
        if self.next.is_none() {
            self.next = self.answers.recv().ok();
        }
    }
}
