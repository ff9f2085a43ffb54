//! What is to be released, and what was.

mod audit;
mod suggest;
