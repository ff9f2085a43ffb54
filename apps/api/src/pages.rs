//! Lists in pages.

use contract::{Page, PageQuery};
use store::PageOf;

const DEFAULT_LIMIT: u16 = 20;

/// One page of a list: where it begins and how long it is.
pub(crate) struct Window {
    after: Option<i64>,
    limit: u16,
}

impl Window {
    pub(crate) fn new(query: &PageQuery) -> Self {
        Self {
            // Digits only, and few enough to fit: the query has been checked.
            after: query.cursor.as_ref().and_then(|cursor| cursor.parse().ok()),
            limit: query.limit.unwrap_or(DEFAULT_LIMIT),
        }
    }

    /// What to ask the store for: one row more than the page has, to know whether there is a next
    /// one.
    pub(crate) fn rows(&self) -> PageOf {
        PageOf {
            after: self.after,
            limit: self.limit + 1,
        }
    }

    /// Makes the page of those rows; `id` is what the cursor points at.
    pub(crate) fn page<R, T>(
        &self,
        rows: Vec<R>,
        to_item: impl Fn(R) -> T,
        id: impl Fn(&T) -> i64,
    ) -> Page<T> {
        let limit = usize::from(self.limit);
        let has_next = rows.len() > limit;
        let items: Vec<T> = rows.into_iter().take(limit).map(to_item).collect();
        let last = items.last().filter(|_| has_next);
        Page {
            next_cursor: last.map(|last| id(last).to_string()),
            items,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(limit: Option<u16>, rows: i64, items: usize, next_cursor: Option<&str>) {
        let query = PageQuery {
            cursor: None,
            limit,
        };
        let rows = (1..=rows).collect();
        let page = Window::new(&query).page(rows, |id: i64| id, |&id| id);
        assert_eq!(
            (page.items.len(), page.next_cursor.as_deref()),
            (items, next_cursor)
        );
    }

    #[test]
    fn the_last_page_has_no_next_one() {
        check(None, 0, 0, None);
        check(None, 20, 20, None);
        check(None, 21, 20, Some("20"));
        check(Some(1), 1, 1, None);
        check(Some(1), 2, 1, Some("1"));
        check(Some(100), 101, 100, Some("100"));
    }
}
