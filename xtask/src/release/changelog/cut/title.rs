//! The words of the new heading.

use super::super::blocks::outside_tags;
use super::super::lines::place;
use super::super::links::Target;
use super::super::{Changelog, Link, Release};
use super::Plan;

impl Plan<'_> {
    /// Those of the newest release that says no more than version and
    /// date, with others in their place.
    pub(super) fn title(&self) -> String {
        let (version, date) = (self.cut.version.to_string(), self.cut.date.to_string());
        let target = self.target.as_deref();
        let fits = |release: &&Release<'_>| {
            let leads = target.is_some() || !matches!(release.link, Link::Reference(_));
            leads && !release.yanked && is_bare(self.log, release)
        };
        let Some(model) = self.line.iter().map(|(release, _)| *release).find(fits) else {
            return match (self.unreleased.link, target) {
                (Link::Reference(_), Some(_)) => format!("[{version}] - {date}"),
                (Link::Inline(_), Some(target)) => format!("[{version}]({target}) - {date}"),
                _ => format!("{version} - {date}"),
            };
        };
        let bare = model.name.trim_start_matches('v');
        let swap = |part: &str| {
            let part = part.replace(bare, &version);
            match model.date {
                Some(old) => part.replace(old, &date),
                None => part,
            }
        };
        let title = &self.log.text[model.title.clone()];
        let title_of_new = match (model.link, target) {
            (Link::Inline(old), Some(new)) if Target::of(old).is_some() => {
                let at = place(title, old);
                [&swap(&title[..at.start]), new, &swap(&title[at.end..])].concat()
            }
            _ => swap(title),
        };
        match model.date {
            Some(_) => title_of_new,
            None => format!("{title_of_new} - {date}"),
        }
    }
}

/// Whether a heading says no more than version, date and where it leads.
fn is_bare(log: &Changelog<'_>, release: &Release<'_>) -> bool {
    let leads = match release.link {
        Link::Reference(to) | Link::Inline(to) => Some(to),
        Link::None => None,
    };
    let known = [leads, Some(release.name), release.date, release.package];
    let title = log.text[release.title.clone()].to_owned();
    let rest = known
        .into_iter()
        .flatten()
        .fold(title, |rest, known| rest.replace(known, " "));
    !outside_tags(&rest).any(char::is_alphanumeric)
}
