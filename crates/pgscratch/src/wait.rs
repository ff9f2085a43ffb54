//! Waiting for a future from code that is not asynchronous.

use std::future::Future;
use std::io;
use std::thread;

/// Runs `future` to its end on a thread of its own, so that the caller may be inside a runtime
/// (whose threads must not start another) or outside of one.
pub(crate) fn for_end_of<T: Send>(future: impl Future<Output = T> + Send) -> io::Result<T> {
    thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            Ok(runtime.block_on(future))
        });
        worker
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the worker thread panicked")))
    })
}
