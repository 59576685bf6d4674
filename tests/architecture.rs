//! The invariants of ARCHITECTURE.md that can be read off the sources: who may know whom.
#![cfg(not(target_arch = "wasm32"))]

use std::fs;
use std::path::{Path, PathBuf};

/// Rust sources below `crate/`, their comments dropped.
fn sources(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            found.push((path, code.join("\n")));
        }
    }
}

/// Fails for each file in which `word` occurs but that no entry of `allowed` is a part of.
fn only_in(word: &str, allowed: &[&str]) {
    let mut found = vec![];
    sources(Path::new("crate"), &mut found);
    assert!(found.len() > 20, "run from the root of the checkout");
    for (path, code) in found {
        let name = path.to_str().unwrap().replace('\\', "/");
        let may = allowed.iter().any(|part| name.contains(part));
        assert!(may || !code.contains(word), "{name} must not know `{word}`");
    }
}

#[test]
fn only_the_gpu_folder_knows_wgpu() {
    only_in("wgpu::", &["crate/gpu/"]);
}

#[test]
fn only_the_modules_for_the_page_know_javascript() {
    for word in ["wasm_bindgen", "js_sys", "web_sys"] {
        only_in(word, &["crate/web.rs", "crate/web/", "crate/web_tokenizers.rs", "crate/js.rs"]);
    }
}

#[test]
fn what_is_recorded_knows_no_device() {
    let mut found = vec![];
    sources(Path::new("crate"), &mut found);
    let recording =
        ["layers", "kernels", "tape", "model.rs", "optimizer", "parameters.rs", "config", "data", "statistics"];
    let recording = recording.map(|part| format!("crate/{part}"));
    for (path, code) in found {
        let name = path.to_str().unwrap().replace('\\', "/");
        let records = recording.iter().any(|part| name.starts_with(part));
        for device in ["engine::", "cpu::", "GpuEngine", "trainer::"] {
            assert!(!(records && code.contains(device)), "{name} must not know `{device}`");
        }
    }
}

/// A file of tests that no program knows would never run.
#[test]
fn every_file_of_tests_is_run() {
    let all = fs::read_to_string("tests/all.rs").unwrap();
    for entry in fs::read_dir("tests").unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some(module) = name.strip_suffix(".rs").filter(|module| !["all", "memory"].contains(module)) else {
            continue;
        };
        assert!(all.contains(&format!("mod {module};\n")), "tests/all.rs does not name {name}");
    }
}
