//! Takes the writing of lines off the threads that serve: they append to memory, one thread of its
//! own writes. A reader that is slow, or gone, delays nobody; lines that find no room are dropped,
//! and counted.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{mem, thread};

use tracing_subscriber::fmt::MakeWriter;

use crate::metrics;

/// So many bytes may wait.
const CAPACITY: usize = 4 << 20;
/// What a quiet moment gives back.
const KEPT: usize = 256 << 10;
/// How long the writer gathers lines after it has written some: under load a write then holds many,
/// and the threads that serve need not wake it for each.
const PAUSE: Duration = Duration::from_millis(5);
/// Before a reader that had no room is asked again.
const RETRY: Duration = Duration::from_millis(10);

/// Lines on their way out. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Queue(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// There is something to write, or somebody waits for it to be written.
    wake: Condvar,
    /// All is written.
    done: Condvar,
}

#[derive(Default)]
struct State {
    waiting: Vec<u8>,
    /// The writer has nothing to do and has to be woken.
    asleep: bool,
    /// The writer is at it.
    writing: bool,
    /// Somebody waits in `flush`.
    hurry: bool,
}

impl Queue {
    /// A queue with its thread, which writes to a descriptor.
    pub(crate) fn start(file: File) -> io::Result<Self> {
        let queue = Self::default();
        let shared = Arc::clone(&queue.0);
        thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || shared.write_to(file))?;
        Ok(queue)
    }

    /// Waits until all that was logged is written, until then at most.
    pub(crate) fn flush(&self, until: Instant) {
        let mut state = self.0.lock();
        while !state.waiting.is_empty() || state.writing {
            state.hurry = true;
            self.0.wake.notify_one();
            let Some(left) = until.checked_duration_since(Instant::now()) else {
                return;
            };
            let woken = self.0.done.wait_timeout(state, left);
            (state, _) = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn push(&self, line: &[u8]) {
        let mut state = self.0.lock();
        if state.waiting.len() + line.len() > CAPACITY {
            drop(state);
            metrics::count_dropped_line();
            return;
        }
        state.waiting.extend_from_slice(line);
        let asleep = mem::take(&mut state.asleep);
        drop(state);
        if asleep {
            self.0.wake.notify_one();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_to(&self, mut file: File) {
        let mut batch = Vec::new();
        loop {
            let mut state = self.lock();
            while state.waiting.is_empty() {
                state.asleep = true;
                state.hurry = false;
                self.done.notify_all();
                state = self
                    .wake
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            mem::swap(&mut batch, &mut state.waiting);
            state.writing = true;
            drop(state);

            write_all(&mut file, &batch);
            batch.clear();
            batch.shrink_to(KEPT);

            let mut state = self.lock();
            state.writing = false;
            let calm = |state: &mut State| !state.hurry;
            let _ = self.wake.wait_timeout_while(state, PAUSE, calm);
        }
    }
}

/// Writes what can be written: a closed reader ends it, a full one (which may not block) is asked
/// again.
fn write_all(file: &mut File, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        match file.write(bytes) {
            Ok(0) => return,
            Ok(n) => bytes = &bytes[n..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(RETRY),
            Err(_) => return,
        }
    }
}

impl<'a> MakeWriter<'a> for Queue {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

impl Write for &Queue {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn pipe() -> (io::PipeReader, File) {
        let (reader, writer) = io::pipe().unwrap();
        (reader, File::from(std::os::fd::OwnedFd::from(writer)))
    }

    #[test]
    fn everything_is_written_in_order_and_flush_waits_for_it() {
        let (mut reader, writer) = pipe();
        let queue = Queue::start(writer).unwrap();
        let mut expected = String::new();
        for n in 0..1000_u32 {
            let line = format!("{n}\n");
            queue.push(line.as_bytes());
            expected += &line;
        }
        queue.flush(Instant::now() + Duration::from_secs(10));
        let mut written = vec![0; expected.len()];
        reader.read_exact(&mut written).unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), expected);
    }

    #[test]
    fn a_reader_that_does_not_read_costs_lines_and_neither_time_nor_memory() {
        let (_reader, writer) = pipe();
        let queue = Queue::start(writer).unwrap();
        let line = [b'x'; 1024];
        let since = Instant::now();
        for _ in 0..3 * CAPACITY / line.len() {
            queue.push(&line);
        }
        assert!(
            since.elapsed() < Duration::from_secs(5),
            "{:?}",
            since.elapsed()
        );
        assert!(queue.0.lock().waiting.len() <= CAPACITY);
        let since = Instant::now();
        queue.flush(Instant::now() + Duration::from_millis(50));
        assert!(
            since.elapsed() < Duration::from_secs(5),
            "{:?}",
            since.elapsed()
        );
    }

    #[test]
    fn a_reader_that_is_gone_stops_nothing() {
        let (reader, writer) = pipe();
        drop(reader);
        let queue = Queue::start(writer).unwrap();
        for _ in 0..3 {
            queue.push(b"line\n");
            queue.flush(Instant::now() + Duration::from_secs(10));
        }
        assert!(queue.0.lock().waiting.is_empty());
    }
}
