//! The real binary in real repositories: a small workspace in a temporary folder whose name has a
//! space and an umlaut, with its own git history and target directory.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod apply_postgres;
mod apply_sqlite;
mod backup;
mod changelog;
mod ci;
mod deploy_db;
mod dev;
mod evidence;
mod guards;
mod hostile;
mod hostile_sources;
mod input;
mod interrupt;
mod lint;
mod migrations;
mod mutants;
mod oracle;
mod production;
mod queries;
mod release;
mod roles;
mod routes;
mod runners;
mod sandbox;
mod scan;
mod setup;
mod shapes;
