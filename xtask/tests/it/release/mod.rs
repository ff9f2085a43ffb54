//! What is to be released, and what was.

mod suggest;
