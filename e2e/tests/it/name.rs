//! Which surface it is says the name that it is started by.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

#[test]
fn a_name_that_no_surface_has_is_told_those_that_there_are() {
    let run = Command::new(env!("CARGO_BIN_EXE_e2e"))
        .arg0("/somewhere/kitchen")
        .env_clear()
        .output()
        .unwrap();
    assert_eq!(run.status.code(), Some(2));
    assert_eq!(
        String::from_utf8_lossy(&run.stderr),
        "error: no surface has the name `kitchen`\n\
         help: start this by one of the names `api`, `client`, `admin`, `site`\n"
    );
}
