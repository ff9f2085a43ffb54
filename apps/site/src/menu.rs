//! The menu, remembered: the public page costs `api` one question in half a minute, however many
//! come, and outlives an outage of it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bff::{Api, ApiError};
use contract::{Meal, PageQuery};
use telemetry::with_causes;

/// How long nobody asks again.
const FRESH: Duration = Duration::from_secs(30);
/// How old a menu may be while there is no newer one.
const USABLE: Duration = Duration::from_mins(10);
/// After a failure, how long nobody asks again.
const RESPITE: Duration = Duration::from_secs(5);
/// Of a hundred meals each: more than any kitchen cooks.
const MAX_PAGES: usize = 10;

/// The last known menu.
pub(crate) struct MenuCache {
    api: Api,
    known: Mutex<Option<Known>>,
    /// Held by whoever asks.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
struct Known {
    meals: Arc<[Meal]>,
    at: Instant,
    /// When it is time to ask again.
    stale: Instant,
}

impl MenuCache {
    pub(crate) fn new(api: Api) -> Self {
        Self {
            api,
            known: Mutex::new(None),
            asking: tokio::sync::Mutex::new(()),
        }
    }

    /// What can be ordered, as of half a minute ago at most; while `api` is away, ten minutes.
    pub(crate) async fn meals(&self) -> Result<Arc<[Meal]>, ApiError> {
        let usable = self.usable();
        if let Some(known) = &usable
            && Instant::now() < known.stale
        {
            return Ok(Arc::clone(&known.meals));
        }
        let _asking = match (self.asking.try_lock(), &usable) {
            (Ok(asking), _) => asking,
            // Better an old one now than a new one once somebody else has it.
            (Err(_), Some(known)) => return Ok(Arc::clone(&known.meals)),
            (Err(_), None) => {
                let asking = self.asking.lock().await;
                if let Some(known) = self.usable() {
                    return Ok(known.meals);
                }
                asking
            }
        };
        let now = Instant::now();
        match (self.ask().await, usable) {
            (Ok(meals), _) => {
                let meals: Arc<[Meal]> = meals.into();
                self.keep(Known {
                    meals: Arc::clone(&meals),
                    at: now,
                    stale: now + FRESH,
                });
                Ok(meals)
            }
            (Err(error), Some(known)) => {
                tracing::warn!(error = with_causes(&error), "the menu is not up to date");
                self.keep(Known {
                    stale: Instant::now() + RESPITE,
                    ..known.clone()
                });
                Ok(known.meals)
            }
            (Err(error), None) => Err(error),
        }
    }

    async fn ask(&self) -> Result<Vec<Meal>, ApiError> {
        let mut meals = Vec::new();
        let mut query = PageQuery {
            cursor: None,
            limit: Some(100),
        };
        for _ in 0..MAX_PAGES {
            let page = self.api.menu(&query).await?;
            meals.extend(page.items);
            if page.next_cursor.is_none() {
                break;
            }
            query.cursor = page.next_cursor;
        }
        Ok(meals)
    }

    fn usable(&self) -> Option<Known> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.clone().filter(|known| known.at.elapsed() < USABLE)
    }

    fn keep(&self, known: Known) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
    }
}

#[cfg(test)]
mod tests {
    use bff::ApiClient;

    use super::*;

    /// What is shown of a menu that is so old, when `api` is away.
    async fn shown(age: Duration) -> Result<usize, ApiError> {
        let cache = MenuCache::new(ApiClient::new("http://127.0.0.1:9").anonymous());
        let at = Instant::now().checked_sub(age).unwrap();
        let meal = Meal {
            id: 1,
            name: "Ramen".to_owned(),
            description: String::new(),
            price_cents: 1250,
            available: true,
            version: 1,
        };
        cache.keep(Known {
            meals: [meal].into(),
            at,
            stale: at + FRESH,
        });
        let first = cache.meals().await?.len();
        // The failure puts the next question off, and makes the menu no younger.
        let known = cache.usable().unwrap();
        assert_eq!((known.at, known.stale > Instant::now()), (at, true));
        assert_eq!(cache.meals().await?.len(), first);
        Ok(first)
    }

    #[tokio::test]
    async fn an_old_menu_is_better_than_none_for_ten_minutes() {
        for usable in [0, 31, 9 * 60] {
            assert_eq!(shown(Duration::from_secs(usable)).await.ok(), Some(1));
        }
        let error = shown(Duration::from_mins(10)).await;
        assert!(matches!(error, Err(ApiError::Unreachable(_))), "{error:?}");
    }
}
