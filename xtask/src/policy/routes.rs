//! `[routes]`: what stands before a route.

use serde::Deserialize;

/// What stands before the routes of a raw axum router. Functions and types are named by their full
/// path, with the crate first (`web::auth::require_user`): two of one name stay two. Routes of
/// `guard::GuardedRouter` carry their policy themselves and need nothing here.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Routes {
    /// Middleware and layers that turn away whoever may not come in. A route needs one of them.
    pub(crate) guards: Vec<String>,
    /// Handler arguments that do so.
    pub(crate) extractors: Vec<String>,
    /// Layers that set the required headers. Every answer needs one, where any are named.
    pub(crate) headers: Vec<String>,
    /// Layers that limit how often one may call. Every route needs one, where any are named.
    pub(crate) rate_limits: Vec<String>,
    /// What only certain routes must have.
    pub(crate) rule: Vec<RouteRule>,
    /// Routes for everybody.
    pub(crate) public: Vec<PublicRoute>,
    /// Where all this was read, for findings about it.
    #[serde(skip)]
    pub(crate) file: String,
}

impl Routes {
    /// Guards, the general ones and those of rules.
    pub(crate) fn all_guards(&self) -> impl Iterator<Item = &str> {
        let ruled = self.rule.iter().flat_map(|rule| &rule.guards);
        self.guards.iter().chain(ruled).map(String::as_str)
    }

    /// Handler arguments, the general ones and those of rules.
    pub(crate) fn all_extractors(&self) -> impl Iterator<Item = &str> {
        let ruled = self.rule.iter().flat_map(|rule| &rule.extractors);
        self.extractors.iter().chain(ruled).map(String::as_str)
    }

    /// Every name of a function, type or layer.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let layers = self.headers.iter().chain(&self.rate_limits);
        self.all_guards()
            .chain(self.all_extractors())
            .chain(layers.map(String::as_str))
    }
}

/// Routes of an app, or below a path, need one of these guards instead of the general ones.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct RouteRule {
    pub(crate) app: Option<String>,
    pub(crate) path: Option<PathPattern>,
    #[serde(default)]
    pub(crate) guards: Vec<String>,
    #[serde(default)]
    pub(crate) extractors: Vec<String>,
}

/// A path as the table prints it, or all below one: `/admin/**`.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct PathPattern(String);

impl PathPattern {
    /// `/admin/**` covers `/admin` and all below, fallbacks included.
    pub(crate) fn covers(&self, path: &str) -> bool {
        let Some(prefix) = self.0.strip_suffix("/**") else {
            return self.0 == path;
        };
        let path = path
            .strip_prefix("<fallback:")
            .and_then(|inner| inner.strip_suffix('>'))
            .unwrap_or(path);
        path.strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl TryFrom<String> for PathPattern {
    type Error = String;

    fn try_from(pattern: String) -> Result<Self, String> {
        if !pattern.starts_with('/') && !pattern.starts_with("<fallback:/") {
            return Err(format!("`{pattern}` begins with no `/`"));
        }
        let path = pattern.strip_suffix("/**").unwrap_or(&pattern);
        // A star with a name behind it is a wildcard of axum's own: `/{*rest}`, `/*rest`.
        let is_name = |rest: &str| rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        let is_own = |part: &str| {
            let rest = part.strip_prefix('{').unwrap_or(part).strip_prefix('*');
            !part.contains('*') || rest.is_some_and(|rest| is_name(rest) && !rest.contains('*'))
        };
        if !path.split('/').all(is_own) {
            return Err(format!(
                "`*` in `{pattern}` means nothing: only `/**` at the end does, for all below"
            ));
        }
        Ok(Self(pattern))
    }
}

impl std::fmt::Display for PathPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct PublicRoute {
    pub(crate) app: Option<String>,
    pub(crate) method: String,
    /// As it is registered, nesting applied; `<fallback:/>` for a fallback.
    pub(crate) path: String,
    pub(crate) reason: String,
}

#[cfg(test)]
mod tests {
    use crate::policy::{FILE, Policy};

    #[test]
    fn a_pattern_has_a_star_at_its_end_only() {
        let rule = |path: &str| {
            let text = format!("[[routes.rule]]\npath = \"{path}\"\nguards = [\"a::b\"]\n");
            Policy::parse(&text, FILE)
        };
        for path in [
            "/**",
            "/a",
            "/a/**",
            "/a/{id}/**",
            "/{*rest}",
            "/a/*rest",
            "<fallback:/a>",
        ] {
            rule(path).unwrap();
        }
        for path in [
            "", "a/**", "/a*", "/a/*", "/*/a", "/**/a", "/a/**/**", "/a**", "**",
        ] {
            let error = format!("{:#}", rule(path).unwrap_err());
            assert!(error.contains("line 2") && error.contains('^'), "{error}");
        }
    }
}
