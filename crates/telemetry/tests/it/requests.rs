//! The ids of requests.

use telemetry::{RequestId, in_request};

#[test]
fn only_harmless_ids_are_taken_over() {
    let longest = "a".repeat(64);
    for id in ["a", "A-9", &longest] {
        assert_eq!(RequestId::accept(Some(id)).as_str(), id);
    }
    let too_long = "a".repeat(65);
    for id in [
        Some(""),
        Some("a b"),
        Some("a\"b"),
        Some("ä"),
        Some(too_long.as_str()),
        None,
    ] {
        let fresh = RequestId::accept(id);
        assert_ne!(Some(fresh.as_str()), id);
        assert_eq!(fresh.as_str().len(), 32);
        assert!(fresh.as_str().bytes().all(|b| b.is_ascii_hexdigit()));
        assert_ne!(fresh, RequestId::accept(id));
    }
}

#[tokio::test]
async fn each_of_two_tasks_has_its_own() {
    assert_eq!(RequestId::current(), None);
    let task = |name: &'static str| {
        let id = RequestId::accept(Some(name));
        in_request(id, async move {
            tokio::task::yield_now().await;
            assert_eq!(RequestId::current(), Some(id));
            tokio::task::yield_now().await;
            RequestId::current().unwrap().to_string()
        })
    };
    let (first, second) = tokio::join!(task("first"), task("second"));
    assert_eq!((first.as_str(), second.as_str()), ("first", "second"));
    assert_eq!(RequestId::current(), None);
}
