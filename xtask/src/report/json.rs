//! `--format json`: one document on stdout when the run ends (`xtask/schema/run.schema.json`).

use std::io::Write;

use super::{Run, Sink};

pub(crate) struct Json<W: Write>(pub(crate) W);

impl<W: Write> Sink for Json<W> {
    fn ended(&mut self, run: &Run) -> std::io::Result<()> {
        serde_json::to_writer_pretty(&mut self.0, run)?;
        writeln!(self.0)?;
        self.0.flush()
    }
}
