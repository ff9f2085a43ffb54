//! The files of the scanned tree: read once, searched as bytes, and kept as syntax trees only where
//! a route may be or a name leads.
//!
//! Long because every search over the text stands here, beside the one list of files.

use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::io;
use std::path::PathBuf;

use memchr::memmem;
use proc_macro2::LineColumn;

/// A file of [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FileId(pub(crate) u32);

/// A place in the source: both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Site {
    pub(crate) file: FileId,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl Site {
    /// The place of a span's start, whose columns count from 0.
    pub(crate) fn at(file: FileId, start: LineColumn) -> Self {
        Self {
            file,
            line: number(start.line),
            column: number(start.column + 1),
        }
    }
}

/// Lines, columns and ids are kept small; no tree has as many as would not fit.
pub(crate) fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Whether a file is Rust, by the ending that cargo and rustc go by: lower case only.
pub(crate) fn is_rust(path: &str) -> bool {
    path.rsplit_once('.')
        .is_some_and(|(_, ending)| ending == "rs")
}

/// `a/./b/../c` → `a/c`; `None` where it leads out of the tree.
pub(crate) fn normal(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// What a file says that may concern a router. A file with none of it is parsed only when a name
/// leads into it.
const NEEDLES: &[&str] = &[
    "Router",
    "router",
    "routes!",
    ".route(",
    "axum::serve",
    "axum_server",
    "into_make_service",
    "#[path",
];

/// Brackets nested deeper than this are not code that anybody wrote.
const DEEPEST: usize = 500;

/// A text to look for in many files.
pub(crate) struct Word(memmem::Finder<'static>);

impl Word {
    pub(crate) fn new(word: &str) -> Self {
        Self(memmem::Finder::new(word).into_owned())
    }

    pub(crate) fn is_in(&self, text: &str) -> bool {
        self.0.find(text.as_bytes()).is_some()
    }
}

/// What is scanned: a folder, or the files of a commit.
pub(crate) enum Tree {
    Folder(PathBuf),
    Commit(HashMap<String, Vec<u8>>),
}

impl Tree {
    /// The bytes of a file, by its path relative to the root.
    pub(crate) fn read(&self, path: &str) -> io::Result<Cow<'_, [u8]>> {
        match self {
            Self::Folder(root) => std::fs::read(root.join(path)).map(Cow::Owned),
            Self::Commit(files) => files
                .get(path)
                .map(|bytes| Cow::Borrowed(bytes.as_slice()))
                .ok_or_else(|| io::ErrorKind::NotFound.into()),
        }
    }

    /// A file's text.
    pub(crate) fn text(&self, path: &str) -> io::Result<String> {
        String::from_utf8(self.read(path)?.into_owned())
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }
}

pub(crate) struct Sources {
    files: Vec<File>,
    /// Beside the files, because a syntax tree stays with the thread that made it.
    asts: Vec<OnceCell<Option<syn::File>>>,
    by_path: HashMap<String, FileId>,
    /// In which files what is defined.
    functions: OnceCell<HashMap<String, Vec<FileId>>>,
    constants: OnceCell<HashMap<String, Vec<FileId>>>,
    macros: OnceCell<HashMap<String, Vec<FileId>>>,
    /// What could not be read, with the line.
    problems: RefCell<Vec<(FileId, u32, String)>>,
}

struct File {
    path: String,
    text: String,
    /// Why there is no text.
    broken: Option<String>,
    relevant: bool,
    /// It names modules that have files of their own, or includes one.
    names_files: bool,
}

impl Sources {
    /// Reads the Rust files among `paths`.
    pub(crate) fn read(tree: &Tree, paths: Vec<String>) -> Self {
        let paths: Vec<String> = paths.into_iter().filter(|path| is_rust(path)).collect();
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let size = paths.len().div_ceil(threads).max(1);
        let files: Vec<File> = std::thread::scope(|scope| {
            let workers: Vec<_> = paths
                .chunks(size)
                .map(|chunk| {
                    scope.spawn(move || {
                        let finders: Vec<_> = NEEDLES.iter().map(memmem::Finder::new).collect();
                        chunk
                            .iter()
                            .map(|path| File::read(tree, path, &finders))
                            .collect::<Vec<_>>()
                    })
                })
                .collect();
            workers
                .into_iter()
                .flat_map(|worker| worker.join().unwrap_or_default())
                .collect()
        });
        let by_path = files
            .iter()
            .enumerate()
            .map(|(n, file)| (file.path.clone(), FileId(number(n))))
            .collect();
        // What cannot be read may hide anything.
        let problems = files
            .iter()
            .enumerate()
            .filter_map(|(n, file)| Some((FileId(number(n)), 1, file.broken.clone()?)))
            .collect();
        Self {
            asts: files.iter().map(|_| OnceCell::new()).collect(),
            files,
            by_path,
            functions: OnceCell::new(),
            constants: OnceCell::new(),
            macros: OnceCell::new(),
            problems: RefCell::new(problems),
        }
    }

    pub(crate) fn find(&self, path: &str) -> Option<FileId> {
        self.by_path.get(path).copied()
    }

    pub(crate) fn path(&self, file: FileId) -> &str {
        &self.files[file.0 as usize].path
    }

    pub(crate) fn text(&self, file: FileId) -> &str {
        &self.files[file.0 as usize].text
    }

    /// Files that may register or serve a route.
    pub(crate) fn relevant(&self) -> impl Iterator<Item = FileId> + '_ {
        self.ids().filter(|file| self.is_relevant(*file))
    }

    pub(crate) fn is_relevant(&self, file: FileId) -> bool {
        self.files[file.0 as usize].relevant
    }

    /// Files that name modules with files of their own, or include one.
    pub(crate) fn naming_files(&self) -> impl Iterator<Item = FileId> + '_ {
        self.ids()
            .filter(|file| self.files[file.0 as usize].names_files)
    }

    /// The names of `mod name;` in a file's text.
    pub(crate) fn modules_named(&self, file: FileId) -> impl Iterator<Item = &str> {
        modules_named(self.text(file))
    }

    /// Files that contain all of `words`.
    pub(crate) fn containing<'a>(&'a self, words: &[&str]) -> impl Iterator<Item = FileId> + 'a {
        let finders: Vec<_> = words
            .iter()
            .map(|word| memmem::Finder::new(word.as_bytes()).into_owned())
            .collect();
        self.ids().filter(move |file| {
            let text = self.files[file.0 as usize].text.as_bytes();
            finders.iter().all(|finder| finder.find(text).is_some())
        })
    }

    /// Whether a file has a `call`, such as `listen(`, that is no definition; with something between
    /// the brackets, if it takes arguments.
    pub(crate) fn calls(&self, file: FileId, call: &str, has_arguments: bool) -> bool {
        let text = self.text(file);
        memmem::find_iter(text.as_bytes(), call).any(|at| {
            let is_definition = text[..at].ends_with("fn ");
            let is_empty = text[at + call.len()..].starts_with(')');
            !is_definition && (!is_empty || !has_arguments)
        })
    }

    /// Files that define something: `keyword` is `fn `, `const ` or `macro_rules! `.
    pub(crate) fn defining(&self, keyword: &'static str, name: &str) -> &[FileId] {
        let all = match keyword {
            "fn " => &self.functions,
            "const " => &self.constants,
            _ => &self.macros,
        };
        all.get_or_init(|| self.definitions(keyword))
            .get(name)
            .map_or(&[], Vec::as_slice)
    }

    fn definitions(&self, keyword: &str) -> HashMap<String, Vec<FileId>> {
        let mut all: HashMap<String, Vec<FileId>> = HashMap::new();
        for file in self.ids() {
            for (_, name) in names_after(self.text(file), keyword) {
                match all.get_mut(name) {
                    Some(files) => {
                        if files.last() != Some(&file) {
                            files.push(file);
                        }
                    }
                    None => {
                        all.insert(name.to_owned(), vec![file]);
                    }
                }
            }
        }
        all
    }

    /// Files that contain any of `words`.
    pub(crate) fn with_any(&self, words: &[Word]) -> Vec<FileId> {
        self.ids()
            .filter(|file| words.iter().any(|word| word.is_in(self.text(*file))))
            .collect()
    }

    /// The names of the structs and enums of a file whose definition contains one of `words`.
    pub(crate) fn holders(&self, file: FileId, words: &[Word]) -> Vec<String> {
        let text = self.text(file);
        let mut names = Vec::new();
        for keyword in ["struct ", "enum ", "type "] {
            for (at, name) in names_after(text, keyword) {
                let body = definition(&text[at..]);
                if words.iter().any(|word| word.is_in(body)) {
                    names.push(name.to_owned());
                }
            }
        }
        names
    }

    /// What a file's imports call any of `words`: `Router as Web`.
    pub(crate) fn aliases(&self, file: FileId, words: &[String]) -> Vec<String> {
        let text = self.text(file);
        names_after(text, " as ")
            .into_iter()
            .filter(|(at, name)| {
                let before = &text[..at - " as ".len()];
                !name.is_empty()
                    && *name != "_"
                    && words.iter().any(|word| before.ends_with(word.as_str()))
            })
            .map(|(_, name)| name.to_owned())
            .collect()
    }

    /// Files below a folder, given with its closing slash.
    pub(crate) fn below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = FileId> + 'a {
        self.ids()
            .filter(move |file| self.path(*file).starts_with(folder))
    }

    fn ids(&self) -> impl Iterator<Item = FileId> + use<> {
        (0..number(self.files.len())).map(FileId)
    }

    pub(crate) fn len(&self) -> usize {
        self.files.len()
    }

    /// The syntax tree; `None` if there is none, which [`Sources::problems`] then tells.
    pub(crate) fn ast(&self, file: FileId) -> Option<&syn::File> {
        let entry = &self.files[file.0 as usize];
        self.asts[file.0 as usize]
            .get_or_init(|| {
                if entry.broken.is_some() {
                    return None;
                }
                match parse(&entry.text) {
                    Ok(ast) => Some(ast),
                    Err((line, why)) => {
                        self.problem(file, line, why);
                        None
                    }
                }
            })
            .as_ref()
    }

    /// Notes what keeps a file from being read.
    pub(crate) fn problem(&self, file: FileId, line: u32, why: impl Into<String>) {
        self.problems.borrow_mut().push((file, line, why.into()));
    }

    /// The files that no router can be in, as far as their text tells: they still have to parse, if
    /// a crate has them.
    pub(crate) fn unread(&self) -> Vec<(FileId, &str)> {
        self.ids()
            .filter(|file| {
                let entry = &self.files[file.0 as usize];
                !entry.relevant && entry.broken.is_none()
            })
            .map(|file| (file, self.text(file)))
            .collect()
    }

    /// What did not parse so far: file, line, cause.
    pub(crate) fn problems(&self) -> Vec<(FileId, u32, String)> {
        self.problems.borrow().clone()
    }
}

/// From a type's name to the end of its definition.
fn definition(text: &str) -> &str {
    let mut depth = 0usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' | b'(' => depth += 1,
            b'}' if depth <= 1 => return &text[..at],
            b'}' | b')' => depth = depth.saturating_sub(1),
            b';' if depth == 0 => return &text[..at],
            _ => {}
        }
    }
    text
}

/// The names that follow a keyword, with where they begin.
fn names_after<'a>(text: &'a str, keyword: &str) -> Vec<(usize, &'a str)> {
    memmem::find_iter(text.as_bytes(), keyword)
        .map(|at| {
            let start = at + keyword.len();
            let rest = &text[start..];
            let end = rest
                .bytes()
                .position(|byte| !byte.is_ascii_alphanumeric() && byte != b'_')
                .unwrap_or(rest.len());
            (start, &rest[..end])
        })
        .collect()
}

/// Whether a text includes a file.
pub(crate) fn includes(text: &str) -> bool {
    memmem::find(text.as_bytes(), b"include!").is_some()
}

fn modules_named(text: &str) -> impl Iterator<Item = &str> {
    names_after(text, "mod ")
        .into_iter()
        .filter(|(at, name)| text[at + name.len()..].trim_start().starts_with(';'))
        .map(|(_, name)| name)
}

/// Parses a file: its tree, or the line and cause.
fn parse(text: &str) -> Result<syn::File, (u32, String)> {
    if let Some(line) = too_deep(text) {
        return Err((number(line), format!("brackets nest deeper than {DEEPEST}")));
    }
    syn::parse_file(text)
        .map_err(|error| (number(error.span().start().line.max(1)), error.to_string()))
}

/// Parses files for nothing but whether they can be, in order of the list; stops at no error.
pub(crate) fn unparsable(files: &[(FileId, &str)]) -> Vec<(FileId, u32, String)> {
    let mut all = Vec::new();
    for (file, text) in files {
        if let Err((line, why)) = parse(text) {
            all.push((*file, line, why));
        }
        // Nothing of the tree is kept, so its text need not be either.
        proc_macro2::extra::invalidate_current_thread_spans();
    }
    all
}

impl File {
    fn read(tree: &Tree, path: &str, finders: &[memmem::Finder<'_>]) -> Self {
        let (text, broken) = match tree.read(path) {
            Ok(bytes) => match String::from_utf8(bytes.into_owned()) {
                Ok(text) => (text, None),
                Err(error) => {
                    let at = error.utf8_error().valid_up_to();
                    let why = format!("not UTF-8 at byte {at}");
                    (
                        String::from_utf8_lossy(error.as_bytes()).into_owned(),
                        Some(why),
                    )
                }
            },
            Err(error) => (String::new(), Some(error.to_string())),
        };
        let relevant = finders
            .iter()
            .any(|finder| finder.find(text.as_bytes()).is_some());
        Self {
            path: path.to_owned(),
            names_files: modules_named(&text).next().is_some() || includes(&text),
            text,
            broken,
            relevant,
        }
    }
}

/// The line on which brackets nest too deep for a parser that recurses. Text and comments count as
/// well: the limit is far above what they hold.
fn too_deep(text: &str) -> Option<usize> {
    let (mut depth, mut line, mut prefixes) = (0usize, 1, 0usize);
    for byte in text.bytes() {
        match byte {
            b'&' | b'!' | b'-' | b'*' | b'|' => {
                prefixes += 1;
                if prefixes > 4 * DEEPEST {
                    return Some(line);
                }
                continue;
            }
            b' ' => continue,
            _ => prefixes = 0,
        }
        match byte {
            b'\n' => line += 1,
            b'(' | b'[' | b'{' => {
                depth += 1;
                if depth > DEEPEST {
                    return Some(line);
                }
            }
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}
