//! Which part of a list is asked for.

/// A page of a list that goes by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageOf {
    /// The number of the last row of the page before; the first page without.
    pub after: Option<i64>,
    /// How many rows at most.
    pub limit: u16,
}

impl PageOf {
    /// What the numbers of the page are greater than, in a list that goes up.
    pub(crate) fn above(self) -> i64 {
        self.after.unwrap_or(i64::MIN)
    }

    /// What the numbers of the page are less than, in a list that goes down.
    pub(crate) fn below(self) -> i64 {
        self.after.unwrap_or(i64::MAX)
    }

    pub(crate) fn limit(self) -> i64 {
        self.limit.into()
    }
}
