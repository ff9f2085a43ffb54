//! Who may call a route, how often, with how much, for how long.

use std::fmt;
use std::time::Duration;

use crate::{RateClass, Role};

const BODY_LIMIT: usize = 64 * 1024;
const TIMEOUT: Duration = Duration::from_secs(10);

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anyone, for this reason.
    Public(&'static str),
    /// Anyone with an identity.
    SignedIn,
    /// An identity with exactly this role.
    Role(Role),
    /// The provider of this name, by its signature over the body.
    Webhook(&'static str),
}

impl Access {
    /// Why the route is public, if it is.
    pub const fn reason(self) -> Option<&'static str> {
        match self {
            Self::Public(reason) => Some(reason),
            Self::SignedIn | Self::Role(_) | Self::Webhook(_) => None,
        }
    }

    /// Whether an identity is needed.
    pub(crate) const fn is_private(self) -> bool {
        matches!(self, Self::SignedIn | Self::Role(_))
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Public(_) => f.write_str("public"),
            Self::SignedIn => f.write_str("signed-in"),
            Self::Role(role) => write!(f, "role:{role}"),
            Self::Webhook(provider) => write!(f, "webhook:{provider}"),
        }
    }
}

/// What a request has to satisfy before its handler runs, and what the handler has to keep to.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Policy {
    pub(crate) access: Access,
    pub(crate) rate: RateClass,
    pub(crate) body_limit: usize,
    pub(crate) timeout: Duration,
}

/// Lets anyone in. The reason is part of the route table that reviewers read.
///
/// An empty reason does not get past a constant, and panics where the route is registered
/// otherwise:
///
/// ```compile_fail
/// const OPEN: guard::Policy = guard::public("");
/// ```
///
/// ```
/// const OPEN: guard::Policy = guard::public("the menu is printed on the door");
/// ```
#[track_caller]
pub const fn public(reason: &'static str) -> Policy {
    assert!(
        !reason.trim_ascii().is_empty(),
        "a public route needs a reason: `public(\"why\")`"
    );
    Policy::new(Access::Public(reason))
}

/// Lets in whoever has an identity.
pub const fn signed_in() -> Policy {
    Policy::new(Access::SignedIn)
}

/// Lets in whoever has exactly this role.
pub const fn role(role: Role) -> Policy {
    Policy::new(Access::Role(role))
}

/// Lets in deliveries that carry a valid signature of this provider; see [`Delivery`](crate::Delivery).
pub const fn webhook(provider: &'static str) -> Policy {
    Policy::new(Access::Webhook(provider))
}

impl Policy {
    const fn new(access: Access) -> Self {
        Self {
            access,
            rate: RateClass::Standard,
            body_limit: BODY_LIMIT,
            timeout: TIMEOUT,
        }
    }

    /// Takes bodies of up to this many bytes; 64 KiB unless told. More is answered with 413.
    pub const fn body_limit(self, bytes: usize) -> Self {
        Self {
            body_limit: bytes,
            ..self
        }
    }

    /// Gives the handler this long; ten seconds unless told. More is answered with 503.
    pub const fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Counts requests in another class. Too many are answered with 429.
    pub const fn rate(self, rate: RateClass) -> Self {
        Self { rate, ..self }
    }
}
