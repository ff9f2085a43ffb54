//! What is to be released, and what was.

mod audit;
mod bench;
mod endings;
mod fault;
mod github;
mod github_cli;
mod kill;
mod make;
mod openssh;
mod refuse;
mod request;
mod scene;
mod suggest;
mod texts;
