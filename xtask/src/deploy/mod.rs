//! Deployment: of the database so far.

pub(crate) mod database;
pub(crate) mod predeploy;
