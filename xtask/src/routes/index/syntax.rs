//! What items, types and attributes say by themselves.

use syn::Item;
use syn::punctuated::Punctuated;

pub(super) fn plain(ident: &syn::Ident) -> String {
    let name = ident.to_string();
    name.strip_prefix("r#").map_or(name.clone(), str::to_owned)
}

pub(crate) fn segments(path: &syn::Path) -> Vec<String> {
    path.segments
        .iter()
        .map(|segment| plain(&segment.ident))
        .collect()
}

pub(crate) fn last_is(path: &syn::Path, name: &str) -> bool {
    path.segments.last().is_some_and(|last| last.ident == name)
}

/// The last name of a type's path; references and parentheses are looked through.
pub(crate) fn type_name(ty: &syn::Type) -> Option<String> {
    match ty {
        syn::Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
        syn::Type::Reference(inner) => type_name(&inner.elem),
        syn::Type::Paren(inner) => type_name(&inner.elem),
        syn::Type::Group(inner) => type_name(&inner.elem),
        _ => None,
    }
}

pub(crate) fn item_name(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Fn(item) => &item.sig.ident,
        Item::Const(item) => &item.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Mod(item) => &item.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        _ => return None,
    };
    Some(plain(ident))
}

pub(super) fn item_attributes(item: &Item) -> &[syn::Attribute] {
    match item {
        Item::Fn(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        Item::Const(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        _ => &[],
    }
}

/// `#[test]`, `#[tokio::test]`, and what `cfg` leaves out of all but tests: not part of what is
/// served.
pub(crate) fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        last_is(attribute.path(), "test")
            || attribute.path().is_ident("cfg")
                && attribute
                    .parse_args()
                    .is_ok_and(|condition| needs_test(&condition))
    })
}

/// Whether a `cfg` holds in tests only: `test`, `all(…)` with it, `any(…)` of nothing else.
fn needs_test(condition: &syn::Meta) -> bool {
    let list = match condition {
        syn::Meta::Path(path) => return path.is_ident("test"),
        syn::Meta::List(list) => list,
        syn::Meta::NameValue(_) => return false,
    };
    let parts = list
        .parse_args_with(Punctuated::<syn::Meta, syn::Token![,]>::parse_terminated)
        .unwrap_or_default();
    if list.path.is_ident("all") {
        parts.iter().any(needs_test)
    } else {
        list.path.is_ident("any") && !parts.is_empty() && parts.iter().all(needs_test)
    }
}

/// The condition of a `#[cfg(…)]` that may leave something out.
pub(crate) fn condition(attributes: &[syn::Attribute]) -> Option<String> {
    attributes
        .iter()
        .find_map(|attribute| match &attribute.meta {
            syn::Meta::List(list) if attribute.path().is_ident("cfg") => {
                let text: String = list.tokens.to_string().split_whitespace().collect();
                (text != "not(test)").then(|| format!("cfg({text})"))
            }
            _ => None,
        })
}

/// The package of `include_proto!("package")`, or of what stands for it:
/// `include!(concat!(env!("OUT_DIR"), "/package.rs"))`.
pub(super) fn generated(call: &syn::Macro) -> Option<String> {
    let name = &call.path.segments.last()?.ident;
    if name == "include_proto" {
        return Some(call.parse_body::<syn::LitStr>().ok()?.value());
    }
    let text = call.tokens.to_string();
    if name != "include" || !text.contains("OUT_DIR") {
        return None;
    }
    let file = text.rsplit('"').nth(1)?;
    let package = file.trim_start_matches('/').strip_suffix(".rs")?;
    // What has no package is written to `_.rs`.
    Some(if package == "_" { "" } else { package }.to_owned())
}
