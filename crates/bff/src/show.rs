//! Amounts and times, as people read and write them.

/// What the house charges in.
const CURRENCY: char = '€';

/// An amount in cents as text: `€12.50`.
pub fn money(cents: &i32) -> String {
    format!("{CURRENCY}{}", amount(*cents))
}

/// An amount in cents as it is typed: `12.50`.
pub fn amount(cents: i32) -> String {
    format!("{}.{:02}", cents / 100, (cents % 100).abs())
}

/// The cents of an amount that somebody typed: `12`, `12.5`, `12,50`, `€12.50`.
pub fn cents(typed: &str) -> Option<i32> {
    let typed = typed.trim().trim_start_matches(CURRENCY).trim_start();
    let (whole, part) = typed.split_once(['.', ',']).unwrap_or((typed, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 2 {
        return None;
    }
    let part: i32 = format!("{part:0<2}").parse().ok()?;
    whole
        .parse::<i32>()
        .ok()?
        .checked_mul(100)?
        .checked_add(part)
}

/// A time of `api`'s (RFC 3339, UTC) to the minute: `2026-11-21 08:01 UTC`. Anything else is shown
/// as it is.
pub fn moment(time: &str) -> String {
    match (time.get(..10), time.get(10..11), time.get(11..16)) {
        (Some(day), Some("T"), Some(minute)) => format!("{day} {minute} UTC"),
        _ => time.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_they_are_written() {
        for (typed, read) in [
            ("12", Some(1200)),
            ("12.5", Some(1250)),
            (" €12,50 ", Some(1250)),
            ("0.05", Some(5)),
            ("12.505", None),
            ("1.234,50", None),
            ("-1", None),
            ("", None),
            (".5", None),
            ("5.", None),
            ("99999999999", None),
            ("21474836.48", None),
        ] {
            assert_eq!(cents(typed), read, "{typed}");
        }
        assert_eq!(cents(&amount(1205)), Some(1205));
        assert_eq!(money(&905), "€9.05");
    }

    #[test]
    fn times_are_shown_to_the_minute() {
        assert_eq!(moment("2026-11-21T08:01:00.000Z"), "2026-11-21 08:01 UTC");
        assert_eq!(moment("soon"), "soon");
        assert_eq!(moment("ä".repeat(9).as_str()), "ä".repeat(9));
    }
}
