//! What is made of an `api` that does not do as agreed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bff::{Api, ApiClient, ApiError};
use contract::{NewSession, PageQuery};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const EMPTY_PAGE: &str = "{\"items\":[],\"next_cursor\":null}";

fn ok(body: &str) -> String {
    answer("200 OK", "", body)
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\n\r\n{body}")
}

/// Gives each request on a connection the next of these answers, and hangs up after the last.
/// Counts the requests.
async fn server(answers: Vec<String>) -> (Api, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (answers, counted) = (answers.clone(), Arc::clone(&counted));
            tokio::spawn(async move {
                let mut request = [0; 4096];
                for answer in answers.iter().map(Some).chain([None]) {
                    // Small ones arrive in one piece.
                    if stream.read(&mut request).await.unwrap_or(0) == 0 {
                        return;
                    }
                    counted.fetch_add(1, Ordering::Relaxed);
                    let Some(answer) = answer else { return };
                    let _ = stream.write_all(answer.as_bytes()).await;
                }
            });
        }
    });
    (ApiClient::new(&url).anonymous(), requests)
}

fn proof() -> NewSession {
    NewSession {
        email: "ada@example.test".to_owned(),
        password: "a secret of hers".to_owned(),
    }
}

#[tokio::test]
async fn a_question_is_asked_again_when_its_connection_was_dead() {
    let (api, requests) = server(vec![ok(EMPTY_PAGE)]).await;
    let menu = async || api.menu(&PageQuery::default()).await;
    assert!(menu().await.is_ok());
    // The second goes over the kept connection, which hangs up on it; the third is that again.
    assert!(menu().await.is_ok());
    assert_eq!(requests.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn what_changes_something_is_never_sent_twice() {
    let (api, requests) = server(vec![ok(EMPTY_PAGE)]).await;
    assert!(api.menu(&PageQuery::default()).await.is_ok());
    let error = api.sign_in(&proof()).await.unwrap_err();
    assert!(matches!(error, ApiError::Unreachable(_)), "{error:?}");
    assert_eq!(requests.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn an_answer_of_another_shape_is_told_apart_from_a_refusal() {
    for unreadable in [
        ok("pancakes"),
        ok("{\"items\":7}"),
        ok(&format!("\"{}\"", "x".repeat(1024 * 1024))),
        answer("502 Bad Gateway", "", "<h1>Bad Gateway</h1>"),
    ] {
        let (api, _) = server(vec![unreadable]).await;
        let error = api.menu(&PageQuery::default()).await.unwrap_err();
        assert!(matches!(error, ApiError::Unreadable(_)), "{error:?}");
        assert_eq!(error.status(), None);
    }
}

#[tokio::test]
async fn a_refusal_says_what_is_wrong_with_which_field() {
    let body = "{\"type\":\"about:blank\",\"title\":\"Unprocessable Entity\",\"status\":422,\
                \"errors\":[{\"field\":\"email\",\"message\":\"must be an address\"}]}";
    let (api, _) = server(vec![answer("422 Unprocessable Entity", "", body)]).await;
    let error = api.sign_in(&proof()).await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(422));
    let errors = error.into_errors().unwrap();
    assert_eq!(errors.status(), 422);
    assert_eq!(errors.into_problem(), None);

    let body = "{\"title\":\"Too Many Requests\",\"status\":429,\"detail\":\"too many requests\"}";
    let wait = answer("429 Too Many Requests", "retry-after: 7\r\n", body);
    let (api, _) = server(vec![wait]).await;
    let errors = api.sign_in(&proof()).await.unwrap_err().into_errors();
    let problem = errors.unwrap().into_problem().unwrap();
    assert!(problem.contains("7 seconds"), "{problem}");

    // Nothing that a form could say.
    let body = "{\"title\":\"Internal Server Error\",\"status\":500}";
    let (api, _) = server(vec![answer("500 Internal Server Error", "", body)]).await;
    let error = api.sign_in(&proof()).await.unwrap_err();
    assert!(error.into_errors().is_err());
}

#[tokio::test]
async fn no_error_tells_a_secret() {
    let (api, _) = server(vec![ok("pancakes")]).await;
    let api = api.with_token("a token of hers");
    let error = api.sign_in(&proof()).await.unwrap_err();
    let text = format!("{error:?} {}", telemetry::with_causes(&error));
    assert!(!text.contains("of hers"), "{text}");
}

#[tokio::test]
async fn an_api_that_hangs_is_given_up() {
    // Accepts by the system's queue, and never answers.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let api = ApiClient::new(&url).timeout(Duration::from_millis(50));
    let begun = Instant::now();
    let error = api.anonymous().menu(&PageQuery::default()).await;
    assert!(matches!(error, Err(ApiError::Unreachable(_))), "{error:?}");
    assert!(begun.elapsed() < Duration::from_secs(2));

    // Nor does it help to send a little of the answer.
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"items\":";
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(half.as_bytes()).await;
            open.push(stream);
        }
    });
    let error = api.anonymous().menu(&PageQuery::default()).await;
    assert!(matches!(error, Err(ApiError::Unreachable(_))), "{error:?}");
}

#[tokio::test]
async fn an_address_that_is_none_is_an_error_like_others() {
    for url in [
        "http://",
        "http://a b",
        "nonsense",
        "http://127.0.0.1:99999",
    ] {
        let asked = ApiClient::new(url).anonymous().sign_in(&proof()).await;
        let error = asked.unwrap_err();
        assert!(
            matches!(error, ApiError::Unreachable(_)),
            "{url}: {error:?}"
        );
    }
}
