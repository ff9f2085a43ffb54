//! Log lines: JSON where machines read them, words where people do. Quick enough for every request
//! to have one, see `benches/cost.rs`.

mod clock;
mod escape;
mod field;
mod literal;
mod queue;
pub(crate) mod redact;
mod scrub;

use std::cell::RefCell;
use std::fmt::Write as _;
use std::io::Write as _;

use settings::AppEnv;
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::Context;

use self::clock::Clock;
use self::escape::push_text;
use self::field::Fields;
use crate::{RequestId, metrics};

pub(crate) use self::literal::is_literal;
pub(crate) use self::queue::Queue;

/// What a line looks like.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    /// One object: `{"timestamp":"…","level":"INFO",…}`.
    Json,
    /// `12:00:00.000  INFO guard::answer: answered status=200`.
    Plain,
}

impl Form {
    fn begin_field(self, line: &mut String, name: &str) {
        match self {
            Self::Json => {
                line.push_str(",\"");
                line.push_str(name);
                line.push_str("\":");
            }
            Self::Plain => {
                line.push(' ');
                line.push_str(name);
                line.push('=');
            }
        }
    }

    fn begin_message(self, line: &mut String) {
        line.push_str(match self {
            Self::Json => ",\"message\":\"",
            Self::Plain => " ",
        });
    }

    fn end_text(self, line: &mut String) {
        if matches!(self, Self::Json) {
            line.push('"');
        }
    }
}

/// Writes each event as one line, in one write.
pub(crate) struct Lines<W> {
    form: Form,
    service: &'static str,
    writer: W,
}

/// What a thread keeps from line to line.
#[derive(Default)]
struct Scratch {
    line: String,
    clock: Clock,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl<W> Lines<W> {
    pub(crate) fn new(env: AppEnv, service: &'static str, writer: W) -> Self {
        Self {
            form: if env.is_local() {
                Form::Plain
            } else {
                Form::Json
            },
            service,
            writer,
        }
    }

    fn format(&self, event: &Event<'_>, scratch: &mut Scratch) {
        let Scratch { line, clock } = scratch;
        line.clear();
        let metadata = event.metadata();
        match self.form {
            Form::Json => {
                line.push_str("{\"timestamp\":\"");
                clock.push_now(line, true);
                line.push_str("\",\"level\":\"");
                line.push_str(metadata.level().as_str());
                line.push_str("\",\"service\":\"");
                line.push_str(self.service);
                line.push_str("\",\"target\":\"");
                line.push_str(metadata.target());
                line.push('"');
            }
            Form::Plain => {
                clock.push_now(line, false);
                let _ = write!(line, " {:>5} {}:", metadata.level(), metadata.target());
            }
        }
        let mut fields = Fields::new(line, self.form);
        event.record(&mut fields);
        let dropped = fields.dropped();
        if let Some(id) = RequestId::current() {
            self.form.begin_field(line, "request_id");
            push_text(line, id.as_str(), self.form);
        }
        if dropped > 0 {
            metrics::count_dropped_fields(dropped);
            self.form.begin_field(line, "redacted");
            let _ = write!(line, "{dropped}");
        }
        line.push_str(match self.form {
            Form::Json => "}\n",
            Form::Plain => "\n",
        });
    }
}

impl<S, W> Layer<S> for Lines<W>
where
    S: Subscriber,
    W: for<'w> MakeWriter<'w> + 'static,
{
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let write = |scratch: &mut Scratch| {
            self.format(event, scratch);
            // A log that cannot be written has nowhere to say so, and stops nothing.
            let _ = self.writer.make_writer().write_all(scratch.line.as_bytes());
        };
        // A thread that ends has no scratch any more, and a value that logs while it is logged
        // finds it taken.
        let written = SCRATCH.try_with(|scratch| match scratch.try_borrow_mut() {
            Ok(mut scratch) => write(&mut scratch),
            Err(_) => write(&mut Scratch::default()),
        });
        if written.is_err() {
            write(&mut Scratch::default());
        }
    }
}
