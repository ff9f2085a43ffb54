//! The OpenAPI document, made from the code.
//!
//! What a handler answers stands at the handler. What the guards and the extractors answer before
//! it follows from the route table and from what the operation takes, so nobody can forget it.

use std::sync::LazyLock;

use axum::http::header;
use axum::response::IntoResponse;
use guard::RouteRecord;
use serde_json::{Value, json};
use utoipa::{OpenApi, ToSchema};

use crate::{accounts, audit, kitchen, menu, openapi, orders, payments, sessions};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "The kitchen",
        description = "What people order and staff cook. Errors are problem details (RFC 9457)."
    ),
    paths(
        accounts::open,
        accounts::me,
        sessions::begin,
        sessions::refresh,
        sessions::end,
        menu::list,
        menu::list_all,
        menu::add,
        menu::change,
        orders::list,
        orders::place,
        orders::get,
        orders::cancel,
        kitchen::list,
        kitchen::move_on,
        payments::receive,
        audit::list,
        openapi::get,
    ),
    components(schemas(Problem))
)]
struct Handlers;

/// An error (RFC 9457).
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the JSON of `guard::Problem`")]
struct Problem {
    /// Always `about:blank`: the status says which kind it is.
    r#type: String,
    /// The status in words.
    title: String,
    /// The status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What is wrong with this request.
    #[schema(nullable = false)]
    detail: Option<String>,
    /// What is wrong with which field.
    #[schema(nullable = false)]
    errors: Option<Vec<FieldError>>,
}

/// What is wrong with one field.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the JSON of `guard::FieldError`")]
struct FieldError {
    /// The field's path, such as `data.order_id`; empty for the request as a whole.
    field: String,
    /// What is wrong with it.
    message: String,
}

/// Serves this document.
#[utoipa::path(
    get,
    path = "/v1/openapi.json",
    responses((status = 200, description = "an OpenAPI document", body = Object)),
)]
pub(crate) async fn get() -> impl IntoResponse {
    static TEXT: LazyLock<String> = LazyLock::new(|| document().to_string());
    ([(header::CONTENT_TYPE, "application/json")], TEXT.as_str())
}

/// The document as JSON.
pub(crate) fn document() -> Value {
    let mut document = serde_json::to_value(Handlers::openapi()).unwrap_or_default();
    document["components"]["securitySchemes"] = json!({
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        "webhook": {"type": "apiKey", "in": "header", "name": "webhook-signature"},
    });
    document["components"]["responses"] = json!({
        "400": problem("the request is malformed"),
        "401": problem("the proof of identity is missing, forged or expired"),
        "403": problem("the role does not allow it"),
        "413": problem("the body is too long"),
        "415": problem("the body is not `application/json`"),
        "422": problem("fields that are missing, unknown or out of range, each in `errors`"),
        "429": temporary("too many requests"),
        "503": temporary("out of order for now"),
    });
    for route in crate::records() {
        let method = route.method.to_ascii_lowercase();
        let operation = document["paths"].get_mut(&route.path);
        if let Some(operation) = operation.and_then(|path| path.get_mut(method)) {
            complete(operation, &route);
        }
    }
    document
}

/// Adds what is answered before the handler is asked.
fn complete(operation: &mut Value, route: &RouteRecord) {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let has_query = parameters
        .clone()
        .any(|parameter| parameter["in"] == "query");
    let has_body = operation.get("requestBody").is_some();
    let (security, denials) = match route.access.split(':').next() {
        Some("signed-in") => (Some("bearer"), &["401"][..]),
        Some("role") => (Some("bearer"), &["401", "403"][..]),
        Some("webhook") => (Some("webhook"), &["401"][..]),
        _ => (None, &[][..]),
    };
    let unreadable: &[&str] = match (has_body, has_query) {
        (true, _) => &["400", "413", "415", "422"],
        (false, true) => &["422"],
        (false, false) => &[],
    };
    if let Some(responses) = operation["responses"].as_object_mut() {
        // The errors of the handler's own are problems like all the others.
        for (status, response) in responses.iter_mut() {
            if status.as_str() >= "400" {
                *response = problem(response["description"].as_str().unwrap_or_default());
            }
        }
        for status in denials.iter().chain(unreadable).chain(&["429", "503"]) {
            responses
                .entry(*status)
                .or_insert_with(|| json!({"$ref": format!("#/components/responses/{status}")}));
        }
    }
    if let Some(scheme) = security {
        operation["security"] = json!([{scheme: []}]);
    }
    // The handler's name alone is not unique.
    let [tag, name] = [&operation["tags"][0], &operation["operationId"]].map(Value::as_str);
    operation["operationId"] = json!(format!(
        "{}-{}",
        tag.unwrap_or_default(),
        name.unwrap_or_default()
    ));
}

/// One that passes by itself.
fn temporary(description: &str) -> Value {
    let mut response = problem(description);
    response["headers"] = json!({"retry-after": {
        "description": "when to come back, in seconds",
        "required": true,
        "schema": {"type": "integer", "minimum": 1},
    }});
    response
}

fn problem(description: &str) -> Value {
    let schema = json!({"$ref": "#/components/schemas/Problem"});
    json!({"description": description, "content": {"application/problem+json": {"schema": schema}}})
}
