//! Measured tilings outlive the program, in the user's cache folder: a file that may be deleted at any time.

use std::collections::BTreeMap;
use std::path::PathBuf;

use trainlab::engine::Device;
use trainlab::gpu::Gpu;
use trainlab::tuning::Tilings;

use crate::files;

/// By the adapter's name.
type Kept = BTreeMap<String, Tilings>;

fn path() -> Option<PathBuf> {
    Some(dirs::cache_dir()?.join("trainlab").join("tilings.json"))
}

/// Nothing where the file is not there or not readable: then products are measured again.
fn kept() -> Kept {
    let text = path().and_then(|path| std::fs::read_to_string(path).ok());
    text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

pub fn recall(gpu: &Gpu) {
    if let Some(tilings) = kept().remove(&gpu.name) {
        *gpu.tilings.borrow_mut() = tilings;
    }
}

/// Keeps what was measured since.
pub fn keep(device: &Device) {
    let (Device::Gpu(gpu), Some(path)) = (device, path()) else { return };
    let mut all = kept();
    let tilings = gpu.tilings.borrow().clone();
    if tilings.is_empty() || all.get(&gpu.name) == Some(&tilings) {
        return;
    }
    all.insert(gpu.name.clone(), tilings);
    let text = serde_json::to_string(&all).expect("tilings are JSON");
    let folder = path.parent().expect("a file lies in a folder");
    // A cache that cannot be written costs a second at the next start, no more.
    let _ = files::make_folder(folder).and_then(|()| files::replace(&path, text.as_bytes()));
}
