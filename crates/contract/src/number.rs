//! Whole numbers as JSON has them.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserializer;
use serde::de::{Error, Unexpected, Visitor};

/// Reads `7` and `7.0` alike: JSON has one kind of number, and a schema's `integer` is both.
pub(crate) fn whole<'de, D, N>(deserializer: D) -> Result<N, D::Error>
where
    D: Deserializer<'de>,
    N: TryFrom<i64>,
{
    deserializer.deserialize_any(Whole(PhantomData))
}

struct Whole<N>(PhantomData<N>);

impl<N: TryFrom<i64>> Visitor<'_> for Whole<N> {
    type Value = N;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<N, E> {
        N::try_from(value).map_err(|_| E::invalid_value(Unexpected::Signed(value), &self))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<N, E> {
        let unfit = || E::invalid_value(Unexpected::Unsigned(value), &self);
        let value = i64::try_from(value).map_err(|_| unfit())?;
        N::try_from(value).map_err(|_| unfit())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<N, E> {
        /// Up to here, each whole number has a floating one.
        const EXACT: f64 = 9_007_199_254_740_991.0;

        if value.fract() != 0.0 || value.abs() > EXACT {
            return Err(E::invalid_type(Unexpected::Float(value), &self));
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "it is whole and small enough"
        )]
        self.visit_i64(value as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::whole;

    #[track_caller]
    fn check(json: &str, expected: Option<i32>) {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        assert_eq!(whole(&mut deserializer).ok(), expected, "{json}");
    }

    #[test]
    fn whole_numbers_are_read_however_they_are_written() {
        check("7", Some(7));
        check("7.0", Some(7));
        check("7e2", Some(700));
        check("-0.0", Some(0));
        check("-2147483648", Some(i32::MIN));
        check("2147483647.0", Some(i32::MAX));
    }

    #[test]
    fn what_is_no_whole_number_that_fits_is_refused() {
        for json in [
            "7.5",
            "2147483648",
            "-2147483649",
            "1e300",
            "18446744073709551615",
            "\"7\"",
            "null",
            "true",
            "[7]",
        ] {
            check(json, None);
        }
    }
}
