//! A server of PostgreSQL's protocol that stands between a client and the real one.

use std::path::PathBuf;

use pgscratch::Database;
use sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};

use super::Bench;

/// What it does besides handing on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Does {
    /// Gives each transaction another session, as pgbouncer does in transaction mode.
    Pool,
    /// Cuts the connection when the client sends its first COMMIT, which the server never sees.
    LoseCommit,
    /// Cuts the connection when the server has answered the first COMMIT; the client never sees it.
    LoseAnswer,
}

impl Bench {
    /// The environment in which a command reaches `database` through a proxy, which lives as long as
    /// the bench.
    pub(super) fn through(&self, does: Does, database: &Database) -> [(&'static str, String); 2] {
        let options: PgConnectOptions = database.url.parse().unwrap();
        let folder = options.get_socket().unwrap();
        let listen = start(does, folder.join(".s.PGSQL.5432"));
        let port = self.tokio.block_on(listen);
        let name = &database.name;
        let url = format!("postgres://postgres@127.0.0.1:{port}/{name}?sslmode=disable");
        // The marker knows the server by its socket.
        let server = format!("{}:5432", folder.display());
        [("DATABASE_URL", url), ("DATABASE_SERVER_ID", server)]
    }
}

/// Answers its port.
async fn start(does: Does, socket: PathBuf) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(serve(does, client, socket.clone()));
        }
    });
    port
}

/// Ends with whichever side ends.
async fn serve(does: Does, mut client: TcpStream, socket: PathBuf) -> std::io::Result<()> {
    let length = client.read_i32().await?;
    let mut startup = length.to_be_bytes().to_vec();
    startup.resize(usize::try_from(length).unwrap(), 0);
    client.read_exact(&mut startup[4..]).await?;
    let sessions = if does == Does::Pool { 2 } else { 1 };
    let mut servers = Vec::new();
    let mut greeting = Vec::new();
    for _ in 0..sessions {
        let mut server = UnixStream::connect(&socket).await?;
        server.write_all(&startup).await?;
        (greeting, _) = until_ready(&mut server).await?;
        servers.push(server);
    }
    client.write_all(&greeting).await?;
    let mut session = 0;
    loop {
        let server = &mut servers[session];
        let mut commits = false;
        loop {
            let (kind, message) = message(&mut client).await?;
            commits |= kind == b'Q' && message.windows(8).any(|part| part == b"; commit");
            if commits && does == Does::LoseCommit {
                return Ok(());
            }
            server.write_all(&message).await?;
            // A simple query, or the end of an extended one.
            if kind == b'Q' || kind == b'S' {
                break;
            }
        }
        let (answer, state) = until_ready(server).await?;
        if commits && does == Does::LoseAnswer {
            return Ok(());
        }
        client.write_all(&answer).await?;
        // Within a transaction a pooler keeps to the session.
        if state == b'I' {
            session = (session + 1) % sessions;
        }
    }
}

/// A message, and its kind.
async fn message(from: &mut (impl AsyncRead + Unpin)) -> std::io::Result<(u8, Vec<u8>)> {
    let kind = from.read_u8().await?;
    let length = from.read_i32().await?;
    let mut message = vec![kind];
    message.extend(length.to_be_bytes());
    message.resize(1 + usize::try_from(length).unwrap(), 0);
    from.read_exact(&mut message[5..]).await?;
    Ok((kind, message))
}

/// Everything up to "ready for query", and the state of the transaction that it names: `I` for none.
async fn until_ready(server: &mut UnixStream) -> std::io::Result<(Vec<u8>, u8)> {
    let mut all = Vec::new();
    loop {
        let (kind, message) = message(server).await?;
        all.extend(&message);
        if kind == b'Z' {
            return Ok((all, message[5]));
        }
    }
}
