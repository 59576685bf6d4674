//! Every shader that any kernel composes is valid WGSL and stays within what WebGPU promises everywhere.

#![cfg(not(target_arch = "wasm32"))]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use naga::valid::{Capabilities, ValidationFlags, Validator};
use naga::{AddressSpace, Module};
use trainlab::config::Config;
use trainlab::engine::Device;
use trainlab::plan::Plan;

use crate::common::{cases, lab};

/// The composed source of each shader of the kernels' cases and of a few whole plans, by what it is.
fn composed() -> BTreeMap<String, String> {
    let mut sources = BTreeMap::new();
    for case in cases::all() {
        sources.insert(case.kernel.shader().compose(), format!("{:?}", case.kernel));
    }
    let configs = lab::SMALL
        .iter()
        .map(lab::Small::config)
        .chain(lab::block_variants())
        .chain(lab::attention_variants())
        .chain([Config::default()]);
    for config in configs {
        let plan = Plan::new(&config, 97, &Device::Cpu).expect("the plan fits");
        let recordings = [plan.train.recording, plan.validate.recording, plan.decode.recording];
        for op in recordings.into_iter().flat_map(|recording| recording.ops) {
            sources.insert(op.kernel.shader().compose(), format!("{:?}", op.kernel));
        }
    }
    sources.into_iter().map(|(source, kernel)| (kernel, source)).collect()
}

#[test]
fn shaders_are_valid() {
    for (kernel, source) in composed() {
        assert!(!source.contains("//#") && !source.contains('$'), "{kernel}: a directive is left\n{source}");
        let module = naga::front::wgsl::parse_str(&source)
            .unwrap_or_else(|error| panic!("{kernel}: {}", error.emit_to_string(&source)));
        Validator::new(ValidationFlags::all(), Capabilities::empty())
            .validate(&module)
            .unwrap_or_else(|error| panic!("{kernel}: {}", error.emit_to_string(&source)));
        check_limits(&kernel, &module);
    }
}

fn check_limits(kernel: &str, module: &Module) {
    let [entry] = &module.entry_points[..] else { panic!("{kernel}: one entry point, please") };
    assert_eq!(entry.name, "main", "{kernel}");
    let invocations: u32 = entry.workgroup_size.iter().product();
    assert!(invocations <= 256, "{kernel}: {invocations} invocations in a workgroup");
    assert!(entry.workgroup_size.iter().all(|&side| side <= 256), "{kernel}: {:?}", entry.workgroup_size);

    let (mut storage_buffers, mut workgroup_bytes) = (0, 0);
    for (_, variable) in module.global_variables.iter() {
        match variable.space {
            AddressSpace::Storage { .. } => storage_buffers += 1,
            AddressSpace::WorkGroup => workgroup_bytes += module.types[variable.ty].inner.size(module.to_ctx()),
            _ => {}
        }
    }
    assert!(storage_buffers <= 8, "{kernel}: {storage_buffers} storage buffers");
    assert!(workgroup_bytes <= 16 << 10, "{kernel}: {workgroup_bytes} bytes of workgroup memory");
}

#[test]
fn every_file_is_part_of_some_shader() {
    let sources = composed();
    let mut files = vec![];
    find(&Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders"), &mut files);
    let mut beginnings = BTreeSet::new();
    for file in &files {
        let text = std::fs::read_to_string(file).expect("the file can be read");
        let first = text.lines().next().unwrap_or_default().to_owned();
        let file = file.display();
        assert!(first.starts_with("// "), "{file} does not begin by saying what it does");
        assert!(sources.values().any(|source| source.contains(&first)), "{file} is part of no shader");
        assert!(beginnings.insert(first), "{file} begins like another file");
    }
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            find(&path, files);
        } else {
            files.push(path);
        }
    }
}
