//! What is to be released, and what was.

mod audit;
mod github;
mod github_cli;
mod suggest;
