//! Tidy's own rules, each with what it must catch and what it must let pass.

use std::path::Path;

use super::blank::blanked;
use super::complaints_about;
use super::function::{Function, functions};
use super::generated::{Generated, Origin};
use super::manifest::{stray_versions, unexplained_dependencies};
use super::source::{machine_paths, too_long, undocumented_module};

fn check_functions(text: &str, expect: &[(&str, usize, usize)]) {
    let expect = expect.iter().map(|&(name, line, lines)| Function { name: name.into(), line, lines });
    assert_eq!(functions(text), expect.collect::<Vec<_>>(), "{text}");
}

#[test]
fn counts_from_fn_to_the_closing_brace() {
    check_functions("fn a() {}", &[("a", 1, 1)]);
    check_functions("\nfn a() {\n    b();\n}\n\nfn c(\n    d: u8,\n) {\n}\n", &[("a", 2, 3), ("c", 6, 4)]);
    check_functions(
        "pub(crate) const fn a<T>(x: [T; 2]) -> T\nwhere\n    T: Copy,\n{ x[0] }",
        &[("a", 1, 4)],
    );
}

#[test]
fn counts_nested_functions_too() {
    check_functions("fn a() {\n    fn b() {\n    }\n}", &[("a", 1, 4), ("b", 2, 2)]);
}

#[test]
fn passes_over_what_is_no_body() {
    check_functions("trait A { fn a(&self); fn b(&self) {} }", &[("b", 1, 1)]);
    check_functions("type F = fn(u8) -> u8;\nlet x: fn (u8);", &[]);
    check_functions("macro_rules! m { ($n:ident) => { fn $n() {} } }", &[]);
    check_functions("let often = 1;", &[]);
}

#[test]
fn braces_in_literals_and_comments_do_not_count() {
    check_functions("fn a() {\n    b(\"}\");\n}", &[("a", 1, 3)]);
    check_functions("fn a() {\n    b('}', '\\'', b'{');\n}", &[("a", 1, 3)]);
    check_functions("fn a<'x>(y: &'x str) {\n    r#\"}\"\"#; br\"{\"; \"\\\"}\"\n}", &[("a", 1, 3)]);
    check_functions("fn a() {\n    // }\n    /* } /* } */ } */\n}", &[("a", 1, 4)]);
    check_functions("// fn a() {}\nlet b = \"fn c() {}\";", &[]);
}

#[test]
fn blanking_keeps_every_line_where_it_was() {
    let text = "a \"x\ny\" /* z\n*/ 'q' r\"\n\" é // ü\nb";
    assert_eq!(blanked(text).lines().count(), text.lines().count());
    assert!(blanked(text).starts_with("a   ") && blanked(text).ends_with("\nb"));
}

#[test]
fn a_function_of_seventy_lines_passes_and_one_more_does_not() {
    let function = |lines: usize| format!("//! Doc.\nfn long() {{\n{}}}\n", "    x();\n".repeat(lines - 2));
    let complaints = |lines| complaints_about(Path::new("a.rs"), &function(lines), Origin::Written);
    assert_eq!(complaints(70), Vec::<String>::new());
    assert_eq!(complaints(71), ["a.rs:2: fn long: 71 lines, above 70"]);
}

#[test]
fn a_file_of_four_hundred_lines_passes_and_one_more_does_not() {
    assert_eq!(too_long(&"x\n".repeat(400)), None);
    assert!(too_long(&"x\n".repeat(401)).is_some());
    let complaints = |name, origin| complaints_about(Path::new(name), &"x\n".repeat(401), origin).len();
    assert_eq!(complaints("a.md", Origin::Written), 0);
    assert_eq!(complaints("a.mjs", Origin::Written), 1);
    assert_eq!(complaints("a.mjs", Origin::Generated), 0);
}

#[test]
fn a_generated_file_is_one_that_gitattributes_marks() {
    let generated = Generated::parse(
        "# why\n/a/dist/** linguist-generated -diff\n/b/** text\n/c.js linguist-generated\n* text=auto\n",
    );
    let origin = |name| generated.origin(Path::new(name));
    assert_eq!(origin("a/dist/x/y.js"), Origin::Generated);
    for name in ["a/src/x.ts", "a/dist.js", "b/a/dist/x.js", "b/x.js", "c.js", "x.js"] {
        assert_eq!(origin(name), Origin::Written, "{name}");
    }
}

#[test]
fn a_generated_file_names_no_machine_either() {
    let text = ["", "home", "x"].join("/");
    assert_eq!(complaints_about(Path::new("a.js"), &text, Origin::Generated).len(), 1);
}

#[test]
fn a_module_opens_with_its_documentation() {
    assert_eq!(undocumented_module("//! What lives here.\n"), None);
    assert_eq!(undocumented_module("\n#![doc = include_str!(\"README.md\")]"), None);
    assert!(undocumented_module("use std::fs;\n//! Late.").is_some());
    assert!(undocumented_module("").is_some());
}

#[test]
fn names_no_machine() {
    for folder in ["work", "root", "home", "Users"] {
        assert_eq!(machine_paths(&format!("a\n see /{folder}/x")).len(), 1, "{folder}");
        assert_eq!(machine_paths(&format!("\"/{folder}/x\"")).len(), 1, "{folder}");
        assert_eq!(machine_paths(&format!("tests/{folder}/x https://a.example/{folder}/")), []);
    }
}

#[test]
fn a_dependency_has_a_reason() {
    let manifest = "[workspace.dependencies]\n# our own\na = { path = \"a\" }\n\n# data\nb = \"1\" # why\nc = \"1\"\n\
                    d = { version = \"1#2\" }\ne = \"1\" #\n[profile.dev]\nf = 1\n";
    let lines: Vec<_> = unexplained_dependencies(manifest).into_iter().map(|(line, _)| line).collect();
    assert_eq!(lines, [7, 8, 9]);
}

#[test]
fn a_member_states_no_version() {
    let manifest = "[package]\nversion = \"1\"\n[dependencies]\na.workspace = true\nb = \"1\"\n\
                    [dev-dependencies]\nc = { workspace = true, features = [] }\nd = { version = \"1\" }\ne = { path = \".\" }\n";
    let names: Vec<_> = stray_versions(manifest).into_iter().map(|(_, what)| what).collect();
    assert_eq!(names, ["b belongs in [workspace.dependencies]", "d belongs in [workspace.dependencies]"]);
}
