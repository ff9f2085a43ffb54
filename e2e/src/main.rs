//! All surfaces in one executable, for tests that start them together: which one it is says the
//! name it is started by.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

type Main = fn() -> ExitCode;

/// Each by its name.
const SURFACES: [(&str, Main); 4] = [
    ("api", api::main),
    ("client", client::main),
    ("admin", admin::main),
    ("site", site::main),
];

fn main() -> ExitCode {
    let name = std::env::args_os().next().unwrap_or_default();
    let name = Path::new(&name).file_name().unwrap_or_default();
    if let Some((_, main)) = SURFACES.iter().find(|(known, _)| name == *known) {
        return main();
    }
    let known = SURFACES.map(|(known, _)| known).join("`, `");
    // A reader that went away is its own business.
    let _ = writeln!(
        io::stderr(),
        "error: no surface has the name `{}`\nhelp: start this by one of the names `{known}`",
        name.display()
    );
    ExitCode::from(2)
}
