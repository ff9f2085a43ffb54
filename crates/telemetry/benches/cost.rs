//! What a request pays for being told about: `cargo bench -p telemetry >/dev/null`, for the log
//! itself goes to standard output and the figures to standard error.
#![expect(
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "it prints figures and has nobody to hand errors to"
)]

use std::fs;
use std::hint::black_box;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use metrics::{counter, gauge, histogram};
use settings::{AppEnv, Settings, SiteSettings, Surface};
use telemetry::{RequestId, in_request};

const ROUNDS: u32 = 300_000;

/// The best of some runs, in time on the processor: what the machine does besides does not count.
fn measure(what: &str, mut run: impl FnMut()) {
    let best = (0..7)
        .map(|_| {
            let started = on_cpu();
            (0..ROUNDS).for_each(|_| run());
            let took = on_cpu().saturating_sub(started) / ROUNDS;
            telemetry::metrics::upkeep();
            took
        })
        .min();
    eprintln!("{:>8?}  {what}", best.unwrap_or_default());
}

fn on_cpu() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let nanos = text.split(' ').next().unwrap().parse().unwrap();
    Duration::from_nanos(nanos)
}

fn answered() {
    tracing::info!(
        method = black_box("GET"),
        route = black_box("/v1/meals/{id}"),
        status = black_box(200_u16),
        latency_ms = black_box(3_u64),
        "answered"
    );
}

fn now<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    match future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("nothing here waits"),
    }
}

fn main() {
    let source = |name: &str| match name {
        "APP_ENV" => Some("production".to_owned()),
        "API_URL" => Some("http://127.0.0.1:1".to_owned()),
        _ => None,
    };
    let common = SiteSettings::from_source(&source).unwrap().common;
    let started = Instant::now();
    telemetry::init(&common, Surface::Site).unwrap();
    eprintln!("{:>8?}  to set up", started.elapsed());
    let duration = histogram!("http_request_duration_seconds", "route" => "/", "method" => "GET");
    let started = Instant::now();
    duration.record(0.001);
    eprintln!("{:>8?}  the first value of a histogram", started.elapsed());

    measure("an id made up", || {
        black_box(RequestId::accept(None));
    });
    measure("an id taken over", || {
        black_box(RequestId::accept(black_box(Some(
            "0123456789abcdef0123456789abcdef",
        ))));
    });
    let id = RequestId::accept(None);
    measure("a future with its id", || {
        now(in_request(id, async { black_box(()) }));
    });
    now(in_request(id, async {
        measure("the current id", || {
            black_box(RequestId::current());
        });
        measure("a line", answered);
        measure("a line that is filtered out", || tracing::debug!("silent"));
        measure("an error with a text to scrub", || {
            tracing::error!(
                error = black_box("failed to reach postgres://app:hunter2@db/app: timed out"),
                "failed"
            );
        });
    }));
    let (mut reader, writer) = io::pipe().unwrap();
    thread::spawn(move || io::copy(&mut reader, &mut io::sink()));
    let direct = telemetry::subscriber(AppEnv::Production, "info", Arc::new(writer)).unwrap();
    tracing::subscriber::with_default(direct, || {
        measure("a line written at once, to a pipe", answered);
    });

    let requests = counter!("http_requests_total", "route" => "/", "status" => "200");
    let in_flight = gauge!("http_requests_in_flight");
    measure("a counter", || requests.increment(1));
    measure("a gauge up and down", || {
        in_flight.increment(1.0);
        in_flight.decrement(1.0);
    });
    measure("a histogram", || duration.record(black_box(0.003)));
    measure("a counter looked up by its labels", || {
        counter!("http_requests_total", "route" => "/", "status" => "200").increment(1);
    });
    telemetry::flush();
}
