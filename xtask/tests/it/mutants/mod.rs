//! Mutants: the sample apps, broken on purpose in every place where it can be done, and what the
//! scan says of each.
//!
//! Two bases. The `twins` are the four sample apps once more, on plain axum with layers and a policy
//! file; the sample apps themselves have a policy per route and a committed `routes.lock`. An
//! operator breaks a base in every place it fits. A mutant is killed where the scan is red, by the
//! rule that is meant and at the routes that are open; it is equivalent where it means the same, for
//! a reason that is given, and then the scan has to stay green with the same table.

mod base;
mod copies;
mod declared;
mod guarded;
mod late;
mod least;
mod mutant;
mod names;
mod order;
mod source;
mod wrap;

use crate::scan::Files;
use base::Base;
use mutant::Tally;

/// Sources of the sample apps, for others to break.
pub(crate) fn workspace_files() -> Files {
    guarded::workspace()
}

/// Sources of the twins.
pub(crate) fn twin_files() -> Files {
    base::twin_files()
}

fn break_twin(app: &str) {
    let base = Base::twin(app);
    let mut mutants = order::mutants(&base);
    mutants.extend(names::mutants(&base));
    mutants.extend(wrap::mutants(&base));
    mutants.extend(late::mutants(&base));
    mutants.extend(declared::mutants(&base));
    for mutant in &mutants {
        mutant.assert_changes(&base.files);
    }
    let results = copies::on_copies(&base.files, &mutants, |dir, mutant| {
        mutant.check(
            &base.table,
            &copies::scan_changed(dir, &base.files, &mutant.changed),
        )
    });
    let mut tally = Tally::default();
    for (mutant, result) in mutants.iter().zip(results) {
        tally.add(mutant, result);
    }
    tally.finish(least::of(least::TWINS, app));
}

#[test]
fn no_mutant_of_the_raw_api_survives() {
    break_twin("api");
}

#[test]
fn no_mutant_of_the_raw_client_survives() {
    break_twin("client");
}

#[test]
fn no_mutant_of_the_raw_admin_survives() {
    break_twin("admin");
}

#[test]
fn no_mutant_of_the_raw_site_survives() {
    break_twin("site");
}

fn break_app(app: &str) {
    let (mutants, results) = guarded::results(app);
    let mut tally = Tally::default();
    for (mutant, result) in mutants.iter().zip(results) {
        tally.add(mutant, result);
    }
    tally.finish(least::of(least::APPS, app));
}

#[test]
fn no_mutant_of_api_survives() {
    break_app("api");
}

#[test]
fn no_mutant_of_client_survives() {
    break_app("client");
}

#[test]
fn no_mutant_of_admin_survives() {
    break_app("admin");
}

#[test]
fn no_mutant_of_site_survives() {
    break_app("site");
}
