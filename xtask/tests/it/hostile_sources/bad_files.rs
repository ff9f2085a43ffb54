//! Single files that cannot be read, or not as they seem.

use super::{MAIN, Workspace};

#[test]
fn a_file_that_does_not_parse_is_named_wherever_it_lies() {
    for broken in [
        "fn (",
        "fn f() { let = ; }",
        "}",
        "\"open",
        "/* open",
        "r#\"open",
        "'",
        "fn f() { '\u{0} }",
        "#![",
        "0x",
    ] {
        for file in ["src/other.rs", "src/deep/er/file.rs"] {
            let workspace = Workspace::green();
            workspace.module(file, broken);
            workspace.finds("RG008", file, "does not parse");
        }
    }
    let workspace = Workspace::green();
    workspace.write("src/main.rs", format!("{MAIN}\nfn ("));
    workspace.finds("RG008", "src/main.rs", "does not parse");
}

#[test]
fn a_file_that_nothing_compiles_need_not_parse() {
    let workspace = Workspace::green();
    workspace.write("src/notes.rs", "fn (");
    workspace.is_green(1);
}

#[test]
fn a_file_that_is_no_text_is_named() {
    let workspace = Workspace::green();
    workspace.module("src/latin.rs", b"// caf\xe9\nfn f() {}\n");
    workspace.finds("RG008", "src/latin.rs", "UTF-8");

    let workspace = Workspace::green();
    let wide: Vec<u8> = MAIN.encode_utf16().flat_map(u16::to_le_bytes).collect();
    workspace.module("src/wide.rs", [&[0xff, 0xfe][..], &wide].concat());
    workspace.finds("RG008", "src/wide.rs", "UTF-8");

    let workspace = Workspace::green();
    workspace.module("src/zeros.rs", vec![0; 10_000]);
    workspace.finds("RG008", "src/zeros.rs", "does not parse");
}

#[test]
fn line_ends_and_marks_of_other_systems_change_nothing() {
    for text in [
        MAIN.replace('\n', "\r\n"),
        format!("\u{feff}{MAIN}"),
        format!("\u{feff}{}", MAIN.replace('\n', "\r\n")),
        format!("#!/usr/bin/env run-cargo-script\n{MAIN}"),
        format!("\n\n\n{MAIN}\n\n\u{c}"),
    ] {
        let workspace = Workspace::green();
        workspace.write("src/main.rs", &text);
        workspace.is_green(1);
        // And what is open there is still seen, on its line.
        let open = text.replace(".route_layer(from_fn(guard))", "");
        workspace.write("src/main.rs", &open);
        let line = line_of(&open, "route(\"/a\"");
        assert_eq!(workspace.finds("RG001", "src/main.rs", "GET /a"), [line]);
    }
}

/// The first line that holds this, from 1.
fn line_of(text: &str, part: &str) -> u64 {
    let lines = (1..).zip(text.lines());
    let mut found = lines.filter(|(_, line)| line.contains(part));
    found.next().unwrap().0
}

#[test]
fn modules_that_lead_in_circles_end() {
    let workspace = Workspace::green();
    workspace.write("src/main.rs", format!("mod a;\n{MAIN}"));
    workspace.write(
        "src/a.rs",
        "#[path = \"b.rs\"]\nmod b;\nuse axum::Router;\n",
    );
    workspace.write(
        "src/b.rs",
        "#[path = \"a.rs\"]\nmod a;\nuse axum::Router;\n",
    );
    workspace.is_green(1);

    let workspace = Workspace::green();
    workspace.write(
        "src/main.rs",
        format!("#[path = \"main.rs\"]\nmod again;\n{MAIN}"),
    );
    workspace.is_green(1);
}

#[test]
fn imports_and_functions_that_lead_in_circles_end() {
    for circle in [
        "mod a { pub use super::b::*; } mod b { pub use super::a::*; } use a::*;",
        "mod a { pub use super::b::x; } mod b { pub use super::a::x; } fn y() -> Router { a::x() }",
        "fn x() -> Router { y().merge(x()) } fn y() -> Router { x() }",
        "type A = B; type B = A; fn x() -> A { A::new().route(\"/x\", get(h)) }",
        "const A: &str = B; const B: &str = A; fn x() -> Router { Router::new().route(A, get(h)) }",
        "macro_rules! m { ($($t:tt)*) => { m!($($t)* $($t)*) } } fn x() -> Router { m!(Router::new().route(\"/x\", get(h))) }",
        "trait T { fn x() -> Router { Self::x() } } impl T for () {} fn x() -> Router { <()>::x() }",
        "struct S(Box<S>); impl S { fn x(self) -> Router { self.0.x().route(\"/x\", get(h)) } }",
    ] {
        let workspace = Workspace::green();
        let served = "async fn z() { axum::serve(l, x()).await }";
        let text = format!("{MAIN}\n{circle}\n{served}\n");
        workspace.write("src/main.rs", &text);
        // What leads nowhere is said to, where it is written or served; the rest is still there.
        let lines = workspace.finds("RG008", "src/main.rs", "");
        let last = line_of(&text, served);
        assert!(
            lines.iter().all(|line| [last - 1, last].contains(line)),
            "{circle}: {lines:?}"
        );
        workspace
            .routes(&[])
            .says("app  GET  /a")
            .says("src/main.rs:12");
    }
}

#[test]
fn a_macro_that_hides_routes_is_no_silence() {
    for hidden in [
        "let app = routes!(app, \"/hidden\");",
        "let app = web::routes! { app => GET \"/hidden\" };",
        "let app = vec![app].pop().unwrap();",
        "register!(app);",
        "include!(\"routes.in\");",
    ] {
        let workspace = Workspace::green();
        let text = MAIN.replace("    axum::serve", &format!("    {hidden}\n    axum::serve"));
        workspace.write("src/main.rs", &text);
        let lines = workspace.finds("RG008", "src/main.rs", "");
        let served = line_of(&text, "axum::serve");
        assert!(
            lines.iter().all(|line| [served - 1, served].contains(line)),
            "{hidden}: {lines:?}"
        );
    }
}
