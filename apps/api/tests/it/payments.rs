//! What the payment provider tells us.

use std::collections::HashMap;
use std::sync::Mutex;

use contract::Order;
use jiff::Timestamp;
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use serde_json::{Value, json};
use testkit::{Database, on_each_engine};

use crate::actors::{Actor as _, Customer, Provider};
use crate::app::TestApp;
use crate::expect::Expect as _;

struct Scene {
    _app: TestApp,
    ada: Customer,
    provider: Provider,
    order: Order,
    now: i64,
}

impl Scene {
    async fn on(database: &Database) -> Self {
        Self::of(TestApp::on(database).await).await
    }

    async fn of(app: TestApp) -> Self {
        let ada = app.customer("ada").await;
        let soup = app.staff().await.add_meal("Soup", 450).await;
        Self {
            order: ada.order(&soup, 2).await,
            ada,
            provider: app.provider(),
            now: Timestamp::now().as_second(),
            _app: app,
        }
    }

    fn payment(&self) -> Value {
        paid(self.order.id, 900)
    }

    async fn paid_at(&self) -> Option<String> {
        let path = format!("/v1/orders/{}", self.order.id);
        self.ada.get(&path).await.parse::<Order>(200).paid_at
    }
}

fn paid(order_id: i64, amount_cents: i32) -> Value {
    let data = json!({"order_id": order_id, "amount_cents": amount_cents, "currency": "EUR"});
    json!({"type": "payment.succeeded", "data": data})
}

on_each_engine!(a_payment_is_accepted_once);
async fn a_payment_is_accepted_once(database: &Database) {
    let scene = Scene::on(database).await;
    let Scene { provider, now, .. } = &scene;
    let event = scene.payment();
    let accepted = provider.send("evt_1", *now, &event).await.expect(200);
    assert_eq!(accepted, json!({"result": "accepted"}));
    let paid_at = scene.paid_at().await;
    assert!(paid_at.is_some());

    let replayed = provider.send("evt_1", *now, &event).await;
    replayed.refused(409, "this delivery was received before");
    // The provider has not heard our answer and tries again: that is no replay.
    let retried = provider.send("evt_1", now + 1, &event).await.expect(200);
    assert_eq!(retried, json!({"result": "duplicate"}));
    assert_eq!(scene.paid_at().await, paid_at);
}

on_each_engine!(a_refused_payment_may_be_told_again);
async fn a_refused_payment_may_be_told_again(database: &Database) {
    let scene = Scene::on(database).await;
    let Scene {
        provider,
        order,
        now,
        ..
    } = &scene;
    let answer = provider.send("evt_1", *now, &paid(order.id, 899)).await;
    answer.invalid(&[("data.amount_cents", "must be the total of the order")]);
    let answer = provider.send("evt_2", *now, &paid(4711, 900)).await;
    answer.refused(404, "there is no such order");
    assert_eq!(scene.paid_at().await, None);

    provider
        .send("evt_1", *now, &scene.payment())
        .await
        .expect(200);
    assert!(scene.paid_at().await.is_some());
}

#[tokio::test]
async fn other_events_are_acknowledged_and_ignored() {
    let scene = Scene::of(TestApp::new().await).await;
    let Scene { provider, now, .. } = &scene;
    let event = json!({"type": "customer.updated", "data": {"order_id": "none"}, "more": []});
    let ignored = provider.send("evt_1", *now, &event).await.expect(200);
    assert_eq!(ignored, json!({"result": "ignored"}));
    let replayed = provider.send("evt_1", *now, &event).await;
    replayed.refused(409, "this delivery was received before");
}

#[tokio::test]
async fn only_what_the_provider_signed_just_now_is_read() {
    let scene = Scene::of(TestApp::new().await).await;
    let Scene { provider, now, .. } = &scene;
    let (event, body) = (scene.payment(), scene.payment().to_string());
    let forged = "the signature is missing or does not match";
    for signature in [
        "",
        "v1,",
        "v1,AAAA",
        &provider.key.sign("evt_2", *now, body.as_bytes()),
    ] {
        provider
            .send_signed("evt_1", *now, signature, &event)
            .await
            .refused(401, forged);
    }
    let old = "the delivery is more than five minutes old, or from the future";
    for timestamp in [now - 310, now + 310] {
        provider
            .send("evt_1", timestamp, &event)
            .await
            .refused(400, old);
    }
    assert_eq!(scene.paid_at().await, None);
}

#[tokio::test]
async fn a_payment_that_is_none_is_explained() {
    let scene = Scene::of(TestApp::new().await).await;
    let Scene { provider, now, .. } = &scene;
    let answer = provider.send("evt_1", *now, &paid(0, -5)).await;
    answer.invalid(&[
        ("data.amount_cents", "lower than 1"),
        ("data.order_id", "lower than 1"),
    ]);
    let answer = provider
        .send("evt_1", *now, &json!({"type": "payment.succeeded"}))
        .await;
    answer.invalid(&[("data", "is missing")]);
    provider
        .send("evt_1", *now, &json!("paid"))
        .await
        .expect(422);
}

#[tokio::test]
async fn each_delivery_is_counted_by_what_became_of_it() {
    let counts = Counts::default();
    let _guard = metrics::set_default_local_recorder(&counts);
    let scene = Scene::of(TestApp::new().await).await;
    let Scene { provider, now, .. } = &scene;
    let ignored = json!({"type": "customer.updated"});
    provider.send("evt_1", *now, &scene.payment()).await;
    provider.send("evt_1", *now, &scene.payment()).await;
    provider.send("evt_1", now + 1, &scene.payment()).await;
    provider.send("evt_2", *now, &ignored).await;
    provider.send("evt_3", *now, &paid(4711, 900)).await;
    provider.send("evt_4", *now, &json!({})).await;
    provider.send("evt_5", now - 310, &ignored).await;
    provider.send_signed("evt_6", *now, "v1,", &ignored).await;
    let expected = [
        "accepted",
        "replayed",
        "duplicate",
        "ignored",
        "refused",
        "refused",
        "stale",
        "bad-signature",
    ];
    assert_eq!(counts.results(), expected);
}

/// Notes each count of `webhook_deliveries_total`.
#[derive(Default)]
struct Counts(Mutex<Vec<String>>);

impl Counts {
    fn results(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Recorder for Counts {
    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        if key.name() == "webhook_deliveries_total" {
            let labels: HashMap<_, _> = key
                .labels()
                .map(|label| (label.key(), label.value()))
                .collect();
            assert_eq!(labels["provider"], "payments");
            self.0.lock().unwrap().push(labels["result"].to_owned());
        }
        Counter::noop()
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }

    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
}

on_each_engine!(money_that_comes_a_second_time_is_acknowledged_as_surplus);
async fn money_that_comes_a_second_time_is_acknowledged_as_surplus(database: &Database) {
    let scene = Scene::on(database).await;
    let Scene { provider, now, .. } = &scene;
    let event = scene.payment();
    let first = provider.send("evt_1", *now, &event).await.expect(200);
    assert_eq!(first["result"], "accepted");
    let paid_at = scene.paid_at().await;
    let second = provider.send("evt_2", *now, &event).await.expect(200);
    assert_eq!(second["result"], "surplus");
    assert_eq!(scene.paid_at().await, paid_at);
}
