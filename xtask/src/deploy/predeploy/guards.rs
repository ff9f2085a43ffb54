//! The guards of this environment hold.

use super::Check;
use crate::guards;
use crate::report::text;

pub(super) const CHECK: Check = Check {
    name: "guards",
    run: |cx| {
        let asked = guards::ask(cx)?;
        let conditions = text::plural(asked.states.len(), "condition");
        let passed = asked.pass()?;
        Ok(format!("{conditions} of `{}` held", passed.environment()))
    },
};
