//! Tells text that was compiled in from text that was made at run time: only the first is sure to
//! hold nobody's data.

use std::fs;
use std::ops::Range;
use std::sync::LazyLock;

/// Where the constants of this program lie in memory: what is mapped from its file, and cannot be
/// written. Read once; these mappings stay.
static CONSTANTS: LazyLock<Vec<Range<usize>>> = LazyLock::new(|| {
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    constants(&maps, module_path!().as_ptr().addr())
});

/// Whether this text is a constant of the program. Where the system does not show its mappings (all
/// but Linux), every text passes for one: those are developers' machines.
pub(crate) fn is_literal(text: &str) -> bool {
    let at = text.as_ptr().addr();
    cfg!(not(target_os = "linux"))
        || text.is_empty()
        || CONSTANTS.iter().any(|range| range.contains(&at))
}

/// All read-only mappings of the file that the given address is mapped from.
fn constants(maps: &str, known: usize) -> Vec<Range<usize>> {
    let mappings: Vec<_> = maps.lines().filter_map(mapping).collect();
    let own = mappings.iter().find(|(range, _)| range.contains(&known));
    let own = own.map(|(_, file)| *file);
    mappings
        .into_iter()
        .filter(|(_, file)| Some(*file) == own)
        .map(|(range, _)| range)
        .collect()
}

/// Range, device and inode of a line `start-end r-xp offset device inode path`, unless it can be
/// written to.
fn mapping(line: &str) -> Option<(Range<usize>, (&str, &str))> {
    let mut columns = line.split_whitespace();
    let (start, end) = columns.next()?.split_once('-')?;
    let range = usize::from_str_radix(start, 16).ok()?..usize::from_str_radix(end, 16).ok()?;
    if !columns.next()?.starts_with("r-") {
        return None;
    }
    let (device, inode) = (columns.nth(1)?, columns.next()?);
    Some((range, (device, inode)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn only_what_was_compiled_in_is_a_literal() {
        assert!(is_literal("compiled in"));
        assert!(is_literal(concat!("compiled", " ", "in")));
        let made = String::from("compiled in");
        assert!(!is_literal(&made));
        assert!(!is_literal(made.clone().leak()));
        let on_the_stack = *b"compiled in";
        assert!(!is_literal(std::str::from_utf8(&on_the_stack).unwrap()));
    }

    #[test]
    fn only_read_only_mappings_of_the_same_file_count() {
        let maps = "\
            1000-2000 r--p 00000000 fe:01 42    /srv/app (deleted)\n\
            2000-3000 r-xp 00001000 fe:01 42    /srv/app (deleted)\n\
            3000-4000 rw-p 00002000 fe:01 42    /srv/app (deleted)\n\
            5000-6000 rw-p 00000000 00:00 0     [heap]\n\
            7000-8000 r--p 00000000 fe:01 43    /srv/data\n\
            nonsense\n";
        assert_eq!(constants(maps, 0x1fff), [0x1000..0x2000, 0x2000..0x3000]);
        assert!(constants(maps, 0x5000).is_empty());
        assert!(constants("", 0x1000).is_empty());
    }
}
