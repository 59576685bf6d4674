//! One kernel with the contents of its bindings, run on every device and held against two oracles.

use trainlab::engine::{Device, Engine};
use trainlab::error::Result;
use trainlab::kernels::{Access, Arg, Args, Binding, Element, Kernel, Step};
use trainlab::random::{Random, Stream};
use trainlab::tape::{Buffers, Purpose, Recording, Tape, Tensor};

use super::naive;

/// What one binding holds.
#[derive(Clone, Debug)]
pub enum Values {
    Numbers(Vec<f64>),
    Ids(Vec<u32>),
}

impl Values {
    pub fn numbers(&self) -> &[f64] {
        match self {
            Self::Numbers(numbers) => numbers,
            Self::Ids(_) => panic!("ids where numbers are expected"),
        }
    }

    pub fn ids(&self) -> &[u32] {
        match self {
            Self::Numbers(_) => panic!("numbers where ids are expected"),
            Self::Ids(ids) => ids,
        }
    }
}

/// Uniform in [−scale, scale). The same seed gives the same numbers.
pub fn random(seed: u32, len: usize, scale: f64) -> Vec<f64> {
    let mut random = Random::new(0, Stream::Other(seed));
    (0..len).map(|_| (2.0 * f64::from(random.uniform()) - 1.0) * scale).collect()
}

#[derive(Clone, Debug)]
pub struct Case {
    pub kernel: Kernel,
    /// Devices get them rounded to f32.
    pub inputs: Vec<Values>,
    pub step: Step,
}

impl Case {
    /// What is read starts as random numbers in [−1, 1), ids as zeros, and what is only written as 1000 everywhere, so
    /// that an element that is left out, or read too early, shows.
    pub fn new(kernel: impl Into<Kernel>) -> Self {
        let kernel = kernel.into();
        let inputs =
            kernel.bindings().into_iter().enumerate().map(|(i, binding)| match (binding.element, binding.access) {
                (Element::U32, _) => Values::Ids(vec![0; binding.len]),
                (_, Access::Write) => Values::Numbers(vec![1000.0; binding.len]),
                _ => Values::Numbers(random(i as u32, binding.len, 1.0)),
            });
        Self { inputs: inputs.collect(), kernel, step: Step::default() }
    }

    pub fn with(mut self, name: &str, numbers: impl Into<Vec<f64>>) -> Self {
        let at = self.binding(name);
        self.inputs[at] = Values::Numbers(numbers.into());
        self
    }

    pub fn with_ids(mut self, name: &str, ids: &[u32]) -> Self {
        let at = self.binding(name);
        self.inputs[at] = Values::Ids(ids.to_vec());
        self
    }

    /// Multiplies what a binding starts with.
    pub fn scaled(self, name: &str, factor: f64) -> Self {
        let numbers: Vec<f64> = self.input(name).iter().map(|number| number * factor).collect();
        self.with(name, numbers)
    }

    pub fn at(self, step: Step) -> Self {
        Self { step, ..self }
    }

    fn binding(&self, name: &str) -> usize {
        let mut bindings = self.kernel.bindings().into_iter();
        let at = bindings.position(|binding| binding.name == name);
        at.unwrap_or_else(|| panic!("{:?} has no binding `{name}`", self.kernel))
    }

    /// The numbers that a binding starts with.
    pub fn input(&self, name: &str) -> &[f64] {
        self.inputs[self.binding(name)].numbers()
    }

    /// What each binding holds after the twin has run in f64.
    pub fn oracle(&self) -> Vec<Values> {
        run_twin(&self.kernel, self.inputs.clone(), &self.step)
    }

    /// The same of one binding.
    pub fn output(&self, name: &str) -> Vec<f64> {
        self.oracle()[self.binding(name)].numbers().to_vec()
    }

    /// Holds the f64 twin against the naive loops, and the CPU and the GPU, in f32, against the twin.
    pub async fn check(&self) {
        self.check_on(&[&Device::Cpu, super::gpu().await]).await;
    }

    /// The same without the GPU, for which each shape is a shader to compile.
    pub async fn check_twin(&self) {
        self.check_on(&[&Device::Cpu]).await;
    }

    /// The same, without what takes too long: the naive `loops` of large shapes, or the `gpu`.
    pub async fn check_by(&self, loops: bool, gpu: bool) {
        let mut devices = vec![&Device::Cpu];
        if gpu {
            devices.push(super::gpu().await);
        }
        if loops { self.check_on(&devices).await } else { self.check_devices(&self.oracle(), &devices).await }
    }

    async fn check_on(&self, devices: &[&Device]) {
        let expected = self.oracle();
        let naive = naive::outputs(&self.kernel, &self.inputs, &self.step);
        self.compare("naive loops, f64", &naive, &expected, [1e-9, 1e-10]);
        self.check_devices(&expected, devices).await;
    }

    async fn check_devices(&self, expected: &[Values], devices: &[&Device]) {
        for device in devices {
            self.compare(device.name(), &self.run(device).await, expected, [1e-4, 1e-5]);
        }
    }

    /// What each binding holds after a device has run the kernel, as a tape with one op.
    pub async fn run(&self, device: &Device) -> Vec<Values> {
        let (mut buffers, mut tape) = (Buffers::default(), Tape::new());
        let bindings = self.kernel.bindings();
        let add = |binding: &Binding| buffers.add(binding.name, Purpose::Traffic, binding.len);
        let tensors: Vec<Tensor> = bindings.iter().map(add).collect();
        tape.push(self.kernel.clone(), self.kernel.name(), &tensors);
        let recording = tape.finish(&mut buffers);

        let outputs = self.play(device, &buffers, &tensors, &recording).await;
        outputs.unwrap_or_else(|error| panic!("{:?} on {}: {error}", self.kernel, device.name()))
    }

    async fn play(
        &self,
        device: &Device,
        buffers: &Buffers,
        tensors: &[Tensor],
        recording: &Recording,
    ) -> Result<Vec<Values>> {
        let mut engine = Engine::new(device, buffers, 1)?;
        let program = engine.add(recording, &mut |_, _| {}).await?;
        for (&tensor, values) in tensors.iter().zip(&self.inputs) {
            match values {
                Values::Numbers(numbers) => {
                    engine.write(tensor, &numbers.iter().map(|&number| number as f32).collect::<Vec<_>>());
                }
                Values::Ids(ids) => engine.write_ids(tensor, ids),
            }
        }
        engine.run(program, 0..1, &self.step, None)?;
        let mut outputs = vec![];
        for (&tensor, values) in tensors.iter().zip(&self.inputs) {
            outputs.push(match values {
                Values::Numbers(_) => Values::Numbers(engine.read(tensor).await?.into_iter().map(f64::from).collect()),
                Values::Ids(_) => Values::Ids(engine.read_ids(tensor).await?),
            });
        }
        Ok(outputs)
    }

    fn compare(&self, by: &str, actual: &[Values], expected: &[Values], tolerances: [f64; 2]) {
        for (binding, (actual, expected)) in self.kernel.bindings().iter().zip(actual.iter().zip(expected)) {
            let what = format!("{:?}, `{}` by {by}", self.kernel, binding.name);
            match (actual, expected) {
                (Values::Numbers(actual), Values::Numbers(expected)) => {
                    assert_close(&what, actual, expected, tolerances);
                }
                (Values::Ids(actual), Values::Ids(expected)) => assert_eq!(actual, expected, "{what}"),
                _ => panic!("{what}: numbers for ids"),
            }
        }
    }
}

/// Runs a twin in f64; returns all that it was bound to.
fn run_twin(kernel: &Kernel, mut values: Vec<Values>, step: &Step) -> Vec<Values> {
    let bindings = kernel.bindings();
    let args = bindings.iter().zip(&mut values).map(|(binding, values)| match (values, binding.access) {
        (Values::Numbers(numbers), Access::Read) => Arg::Read(&numbers[..]),
        (Values::Numbers(numbers), _) => Arg::Write(&mut numbers[..]),
        (Values::Ids(ids), Access::Read) => Arg::Ids(&ids[..]),
        (Values::Ids(ids), _) => Arg::IdsMut(&mut ids[..]),
    });
    kernel.run(Args(args.collect()), step);
    values
}

/// |actual − expected| ≤ atol + rtol · |expected| everywhere; where a number is not finite, neither may the other be.
pub fn assert_close(what: &str, actual: &[f64], expected: &[f64], [rtol, atol]: [f64; 2]) {
    assert_eq!(actual.len(), expected.len(), "{what}: length");
    for (i, (&a, &e)) in actual.iter().zip(expected).enumerate() {
        let close = if e.is_finite() { (a - e).abs() <= atol + rtol * e.abs() } else { !a.is_finite() };
        assert!(close, "{what}: element {i} of {} is {a:e}, expected {e:e}", expected.len());
    }
}
