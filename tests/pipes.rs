//! The program in a pipe, as a shell starts it.
#![cfg(all(unix, feature = "cli"))]

use std::io::pipe;
use std::process::{Command, Stdio};

#[test]
fn a_reader_that_has_enough_ends_the_program_without_a_word() {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let mut trainlab = Command::new(env!("CARGO_BIN_EXE_trainlab"));
    let program = trainlab.arg("schema").stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
    let ended = program.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
    assert!(!ended.status.success(), "{}", ended.status);
}
