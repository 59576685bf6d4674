//! Files, with errors that name them, and writes that never leave half a file.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use trainlab::error::{Error, Result};

/// The run's state in its folder.
pub const CHECKPOINT: &str = "checkpoint.safetensors";

fn failed(path: &Path, error: &std::io::Error) -> Error {
    Error::File(format!("{}: {error}", path.display()))
}

pub fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| failed(path, &error))
}

pub fn read_text(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|error| failed(path, &error))
}

pub fn make_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|error| failed(path, &error))
}

/// Replaces a file: the new bytes are on the disk before the old ones are given up.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    let write = || {
        let mut file = fs::File::create(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&new, path)
    };
    write().map_err(|error| failed(path, &error))
}
