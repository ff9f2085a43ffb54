//! The only reader of environment variables.
//!
//! Every variable is one row of [`Variable`] in `table.rs`. The rows drive the parsing, the error
//! texts and [`describe`], from which `.env.example` and the reference page are generated. Each
//! surface has its own struct, so none ever holds another's secrets.
//!
//! ```
//! use settings::{ApiSettings, Settings};
//!
//! let source = |name: &str| (name == "LOG").then(|| "debug".to_owned());
//! let problems = ApiSettings::from_source(&source).unwrap_err();
//! assert!(problems.to_string().contains("`API_TOKEN_KEY` is not set"));
//! ```

mod app_env;
mod describe;
mod environment;
mod problems;
mod reader;
mod surfaces;
mod table;

pub use app_env::AppEnv;
pub use describe::{Description, Setting, describe};
pub use problems::Problems;
pub use reader::Reader;
pub use surfaces::{
    AdminSettings, ApiSettings, ClientSettings, Common, Drain, Settings, SiteSettings, Surface,
};
pub use table::{Fallback, Kind, Variable};
