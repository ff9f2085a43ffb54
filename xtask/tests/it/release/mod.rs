//! What is to be released, and what was.

mod audit;
mod github;
mod github_cli;
mod make;
mod refuse;
mod request;
mod scene;
mod sign;
mod suggest;
