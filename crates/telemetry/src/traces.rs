//! Traces, in builds with the feature `otel`: a span for each request, sent to a collector. What a
//! span holds is what the log lines of its request hold, by the same list of fields.
//!
//! The id of the request is the id of its trace, so whoever passes the one on, as all surfaces do,
//! passes on the other.

use std::fmt::{Debug, Display};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::OnceLock;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use opentelemetry::context::FutureExt as _;
use opentelemetry::trace::{
    Span as _, SpanId, SpanKind, Status, TraceContextExt as _, TraceId, Tracer as _,
    TracerProvider as _,
};
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator, SdkTracer, SdkTracerProvider};
use settings::{Common, Surface};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;

use crate::log::redact::{is_listed, push_literal, shown, shown_debug};
use crate::{Error, RequestId};

/// A collector that takes longer does without.
const EXPORT: Duration = Duration::from_secs(1);

static TRACES: OnceLock<(SdkTracerProvider, SdkTracer)> = OnceLock::new();

/// Sends traces from now on, if the settings say where.
pub(crate) fn init(common: &Common, surface: Surface) -> Result<(), Error> {
    let Some(endpoint) = &common.otlp_endpoint else {
        return Ok(());
    };
    let exporter = SpanExporter::builder()
        .with_http()
        .with_endpoint(format!("{endpoint}/v1/traces"))
        .with_timeout(EXPORT)
        .build()?;
    let resource = Resource::builder_empty()
        .with_service_name(surface.as_str())
        .with_attribute(KeyValue::new("service.version", common.release_sha.clone()))
        .with_attribute(KeyValue::new(
            "deployment.environment.name",
            common.app_env.as_str(),
        ));
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_id_generator(Ids(RandomIdGenerator::default()))
        .with_resource(resource.build())
        .build();
    let tracer = provider.tracer("telemetry");
    TRACES.set((provider, tracer)).map_err(|_| Error::Twice)
}

/// Sends what is left, in a thread of its own: with some collectors the end never comes.
pub(crate) fn shut_down(patience: Duration) -> mpsc::Receiver<()> {
    let (done, wait) = mpsc::channel();
    if let Some((provider, _)) = TRACES.get() {
        thread::spawn(move || {
            // A collector that does not answer gets no second chance.
            let _ = provider.shutdown_with_timeout(patience);
            drop(done);
        });
    }
    wait
}

/// Runs the future of a request in its span.
pub(crate) async fn in_span<F: Future>(future: F) -> F::Output {
    let Some((_, tracer)) = TRACES.get() else {
        return future.await;
    };
    let request = tracer.span_builder("request").with_kind(SpanKind::Server);
    let mut span = request.start_with_context(tracer, &Context::new());
    if let Some(id) = RequestId::current() {
        span.set_attribute(KeyValue::new("request_id", id.to_string()));
    }
    let context = Context::new().with_span(span);
    let output = future.with_context(context.clone()).await;
    context.span().end();
    output
}

/// Makes trace ids of request ids.
#[derive(Debug)]
struct Ids(RandomIdGenerator);

impl IdGenerator for Ids {
    fn new_trace_id(&self) -> TraceId {
        RequestId::current().map_or_else(|| self.0.new_trace_id(), trace_id)
    }

    fn new_span_id(&self) -> SpanId {
        self.0.new_span_id()
    }
}

/// Our own ids are trace ids already; those of others are hashed, everywhere to the same.
fn trace_id(id: RequestId) -> TraceId {
    TraceId::from_hex(id.as_str()).unwrap_or_else(|_| {
        let [high, low] = [0_u8, 1].map(|half| {
            let mut hasher = DefaultHasher::new();
            (half, id.as_str()).hash(&mut hasher);
            u128::from(hasher.finish())
        });
        TraceId::from(high << 64 | low)
    })
}

/// Writes events into the span of their request.
pub(crate) struct Spans;

impl<S: Subscriber> Layer<S> for Spans {
    fn on_event(&self, event: &Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        let context = Context::current();
        if !context.has_active_span() {
            return;
        }
        let span = context.span();
        let mut attributes = Attributes::default();
        event.record(&mut attributes);
        let Attributes {
            message,
            route,
            failed,
            mut values,
            ..
        } = attributes;
        // The line that tells a request's route is about all of it.
        let Some(route) = route else {
            values.push(KeyValue::new("level", event.metadata().level().as_str()));
            span.add_event(message, values);
            return;
        };
        span.update_name(route);
        span.set_attributes(values);
        if failed {
            span.set_status(Status::error(""));
        }
    }
}

/// The listed fields of an event, under the names that collectors know.
#[derive(Default)]
struct Attributes {
    message: String,
    method: String,
    /// `GET /v1/menu`
    route: Option<String>,
    /// The fault was ours.
    failed: bool,
    values: Vec<KeyValue>,
}

impl Attributes {
    fn push(&mut self, name: &'static str, value: impl Into<Value>) {
        if !is_listed(name) {
            return;
        }
        let value = value.into();
        let name = match name {
            "method" => {
                self.method = value.to_string();
                "http.request.method"
            }
            "route" => {
                self.route = Some(format!("{} {value}", self.method));
                "http.route"
            }
            "status" => {
                self.failed = matches!(value, Value::I64(500..));
                "http.response.status_code"
            }
            other => other,
        };
        self.values.push(KeyValue::new(name, value));
    }

    fn push_wide(&mut self, field: &Field, value: impl Display) {
        self.push(field.name(), value.to_string());
    }
}

impl Visit for Attributes {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => push_literal(&mut self.message, &format_args!("{value}")),
            name => self.push(name, shown(value).into_owned()),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => push_literal(&mut self.message, value),
            name if is_listed(name) => self.push(name, shown(&shown_debug(value)).into_owned()),
            _ => {}
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.push(field.name(), shown(&crate::with_causes(value)).into_owned());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.push(field.name(), value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.push(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match i64::try_from(value) {
            Ok(value) => self.push(field.name(), value),
            Err(_) => self.push_wide(field, value),
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.push(field.name(), value);
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.push_wide(field, value);
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.push_wide(field, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_is_a_trace_id_everywhere_the_same() {
        let own = RequestId::accept(None);
        assert_eq!(trace_id(own).to_string(), own.as_str());
        let other = RequestId::accept(Some("deploy-42"));
        assert_eq!(trace_id(other), trace_id(other));
        assert_ne!(trace_id(other), trace_id(own));
        assert_ne!(trace_id(other), TraceId::INVALID);
    }
}
