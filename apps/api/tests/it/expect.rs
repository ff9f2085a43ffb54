//! What tests want to know of an answer.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use testkit::Answer;

/// Reads an answer, or panics with what it was instead.
pub(crate) trait Expect {
    /// The JSON of an answer with this status.
    fn expect(&self, status: u16) -> Value;

    /// The JSON of an answer with this status, as a type of the contract.
    fn parse<T: DeserializeOwned>(&self, status: u16) -> T;

    /// A problem with this status and this detail.
    fn refused(&self, status: u16, detail: &str);

    /// A problem for these fields, with what is wrong with each.
    fn invalid(&self, fields: &[(&str, &str)]);
}

impl Expect for Answer {
    #[track_caller]
    fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self.json()
    }

    #[track_caller]
    fn parse<T: DeserializeOwned>(&self, status: u16) -> T {
        serde_json::from_value(self.expect(status)).unwrap()
    }

    #[track_caller]
    fn refused(&self, status: u16, detail: &str) {
        let problem = self.expect(status);
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(
            (&problem["status"], &problem["detail"]),
            (&json!(status), &json!(detail))
        );
    }

    #[track_caller]
    fn invalid(&self, fields: &[(&str, &str)]) {
        let problem = self.expect(422);
        assert_eq!(self.header("content-type"), "application/problem+json");
        let errors = fields
            .iter()
            .map(|(field, message)| json!({"field": field, "message": message}));
        assert_eq!(problem["errors"], Value::Array(errors.collect()));
    }
}
