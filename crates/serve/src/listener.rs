//! Where connections come from: a listener handed over by the process before, or one of our own.

use std::net::SocketAddr;

use listenfd::ListenFd;
use tokio::net::TcpListener;

use crate::Error;

/// Adopts the first descriptor of `LISTEN_FDS` (systemd's protocol), else binds the address. With
/// an adopted one no connection is lost between two releases: the queue belongs to whoever holds
/// the descriptor.
pub(crate) async fn obtain(addr: SocketAddr) -> Result<TcpListener, Error> {
    match ListenFd::from_env()
        .take_tcp_listener(0)
        .map_err(Error::Adopt)?
    {
        Some(adopted) => {
            adopted.set_nonblocking(true).map_err(Error::Adopt)?;
            TcpListener::from_std(adopted).map_err(Error::Adopt)
        }
        None => TcpListener::bind(addr)
            .await
            .map_err(|source| Error::Bind { addr, source }),
    }
}
