//! Exit codes, and errors that know theirs.

use std::fmt;

/// What the process tells its caller. The numbers are a promise (see `cargo xtask --help`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Code {
    Done = 0,
    Red = 1,
    Usage = 2,
    Precondition = 3,
    ToolMissing = 4,
    Bug = 70,
    Busy = 75,
    Interrupted = 130,
}

impl Code {
    /// Several at once: an interruption wins, then the smallest that is not zero.
    pub(crate) fn worst(codes: impl IntoIterator<Item = Code>) -> Code {
        let codes: Vec<Code> = codes
            .into_iter()
            .filter(|code| *code != Code::Done)
            .collect();
        if codes.contains(&Code::Interrupted) {
            return Code::Interrupted;
        }
        codes.into_iter().min().unwrap_or(Code::Done)
    }
}

impl From<Code> for std::process::ExitCode {
    fn from(code: Code) -> Self {
        Self::from(code as u8)
    }
}

pub(crate) const TABLE: &str = "\
Exit codes:
    0  done
    1  a gate or check is red
    2  usage
    3  a precondition is not met
    4  a tool is missing
   70  a bug in xtask
   75  busy: a lock is held, try again
  130  interrupted";

/// An error with an exit code and the next command. Anything may be wrapped around it with
/// `anyhow::Context`; [`code_of`] and [`help_of`] find it in the chain.
#[derive(Debug)]
pub(crate) struct Problem {
    code: Code,
    message: String,
    help: Option<String>,
}

impl Problem {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            help: None,
        }
    }

    pub(crate) fn precondition(message: impl Into<String>) -> Self {
        Self::new(Code::Precondition, message)
    }

    pub(crate) fn bug(message: impl Into<String>) -> Self {
        Self::new(Code::Bug, message).help("report it with what you ran")
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

fn problem(error: &anyhow::Error) -> Option<&Problem> {
    // As a context it is found by anyhow, as the root by the chain.
    error
        .downcast_ref()
        .or_else(|| error.chain().find_map(|cause| cause.downcast_ref()))
}

/// The code of an error: its [`Problem`]'s, or [`Code::Precondition`] for a plain failure
/// (a file that cannot be read, a command that cannot be started).
pub(crate) fn code_of(error: &anyhow::Error) -> Code {
    problem(error).map_or(Code::Precondition, |problem| problem.code)
}

pub(crate) fn help_of(error: &anyhow::Error) -> Option<&str> {
    problem(error)?.help.as_deref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_codes_become_one() {
        assert_eq!(Code::worst([]), Code::Done);
        assert_eq!(
            Code::worst([Code::Done, Code::ToolMissing, Code::Precondition]),
            Code::Precondition
        );
        assert_eq!(Code::worst([Code::ToolMissing, Code::Red]), Code::Red);
        assert_eq!(
            Code::worst([Code::Red, Code::Interrupted]),
            Code::Interrupted
        );
    }

    #[test]
    fn a_wrapped_problem_keeps_its_code_and_help() {
        use anyhow::Context as _;
        let error = Err::<(), _>(Problem::new(Code::Busy, "`x` is locked").help("wait"))
            .context("failed to prove")
            .unwrap_err();
        assert_eq!(code_of(&error), Code::Busy);
        assert_eq!(help_of(&error), Some("wait"));
        assert_eq!(format!("{error:#}"), "failed to prove: `x` is locked");

        let error = Err::<(), _>(std::io::Error::other("disk"))
            .context(Problem::new(Code::ToolMissing, "no `x`").help("get it"))
            .context("failed to start")
            .unwrap_err();
        assert_eq!(code_of(&error), Code::ToolMissing);
        assert_eq!(help_of(&error), Some("get it"));
    }
}
