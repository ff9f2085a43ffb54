//! What needs an installed server. The name of this module is in the path of every test below it,
//! by which a runner leaves them out where there is none.

mod databases;
mod lifetime;
