//! Who calls: each kind of caller has the methods that make sense for it.

use axum::http::{Method, Request, header};
use contract::{Meal, NewMeal, NewOrder, Order, OrderStatus, Tokens};
use guard::WebhookKey;
use serde::Serialize;
use serde_json::{Value, json};
use testkit::Answer;

use crate::app::{Client, answer};
use crate::expect::Expect as _;

/// Anyone who calls.
pub(crate) trait Actor {
    fn client(&self) -> &Client;

    async fn get(&self, path: &str) -> Answer {
        self.client().send(Method::GET, path, None).await
    }

    async fn post(&self, path: &str, body: impl Serialize) -> Answer {
        self.client()
            .send(Method::POST, path, Some(&json!(body)))
            .await
    }

    async fn patch(&self, path: &str, body: impl Serialize) -> Answer {
        self.client()
            .send(Method::PATCH, path, Some(&json!(body)))
            .await
    }

    async fn delete(&self, path: &str) -> Answer {
        self.client().send(Method::DELETE, path, None).await
    }

    /// The `items` of a list.
    async fn items(&self, path: &str) -> Vec<Value> {
        let page = self.get(path).await.expect(200);
        page["items"].as_array().unwrap().clone()
    }
}

impl Actor for Client {
    fn client(&self) -> &Client {
        self
    }
}

/// Who is not signed in.
pub(crate) struct Anonymous(pub(crate) Client);

impl Actor for Anonymous {
    fn client(&self) -> &Client {
        &self.0
    }
}

impl Anonymous {
    pub(crate) async fn sign_up(&self, email: &str, password: &str) -> Answer {
        let account = json!({"email": email, "name": "Ada", "password": password});
        self.post("/v1/accounts", account).await
    }

    pub(crate) async fn sign_in(&self, email: &str, password: &str) -> Answer {
        self.post(
            "/v1/sessions",
            json!({"email": email, "password": password}),
        )
        .await
    }

    pub(crate) async fn refresh(&self, tokens: &Tokens) -> Answer {
        self.post(
            "/v1/sessions/refresh",
            json!({"refresh_token": tokens.refresh_token}),
        )
        .await
    }
}

/// Who orders meals.
pub(crate) struct Customer {
    pub(crate) client: Client,
    pub(crate) id: String,
}

impl Actor for Customer {
    fn client(&self) -> &Client {
        &self.client
    }
}

impl Customer {
    pub(crate) async fn order(&self, meal: &Meal, quantity: i32) -> Order {
        let order = NewOrder {
            meal_id: meal.id,
            quantity,
            wanted_at: None,
        };
        self.post("/v1/orders", order).await.parse(201)
    }

    /// Orders as often as it is called, and means one order for each key.
    pub(crate) async fn order_once(&self, key: &str, order: &NewOrder) -> Answer {
        let headers = [("idempotency-key", key)];
        let body = json!(order);
        self.client
            .send_with(Method::POST, "/v1/orders", &headers, Some(&body))
            .await
    }

    pub(crate) async fn cancel(&self, order: &Order) -> Answer {
        let path = format!("/v1/orders/{}/cancel", order.id);
        self.post(&path, json!({"version": order.version})).await
    }
}

/// Who runs the kitchen.
pub(crate) struct Staff {
    pub(crate) client: Client,
    pub(crate) id: String,
}

impl Actor for Staff {
    fn client(&self) -> &Client {
        &self.client
    }
}

impl Staff {
    pub(crate) async fn add_meal(&self, name: &str, price_cents: i32) -> Meal {
        let meal = NewMeal {
            name: name.to_owned(),
            description: String::new(),
            price_cents,
        };
        self.post("/v1/menu", meal).await.parse(201)
    }

    pub(crate) async fn move_on(&self, order: &Order, status: OrderStatus) -> Answer {
        let path = format!("/v1/kitchen/orders/{}", order.id);
        self.patch(&path, json!({"status": status, "version": order.version}))
            .await
    }
}

/// The payment provider.
pub(crate) struct Provider {
    pub(crate) client: Client,
    pub(crate) key: WebhookKey,
}

impl Provider {
    /// Sends an event, signed for this id and time.
    pub(crate) async fn send(&self, id: &str, timestamp: i64, event: &Value) -> Answer {
        let signature = self.key.sign(id, timestamp, event.to_string().as_bytes());
        self.send_signed(id, timestamp, &signature, event).await
    }

    pub(crate) async fn send_signed(
        &self,
        id: &str,
        timestamp: i64,
        signature: &str,
        event: &Value,
    ) -> Answer {
        let request = Request::post("/v1/webhooks/payments")
            .header(header::CONTENT_TYPE, "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signature)
            .body(event.to_string().into());
        answer(&self.client.app, request.unwrap()).await
    }
}
