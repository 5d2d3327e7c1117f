//! `policy.cedar`: files of Cedar policies, read whole. Never decides anything itself.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use gatewright_policies::CedarFile;

use super::load;
use super::review::Review;
use super::section::{Section, one_or_more};
use super::span;
use super::tree::Text;

/// A file of Cedar policies, as it was found.
#[derive(Debug)]
pub(crate) struct CedarText {
    path: PathBuf,
    file: CedarFile,
}

impl CedarText {
    /// Where it lies.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What it says.
    pub(crate) fn text(&self) -> &str {
        &self.file.text
    }

    /// The file, for the policy.
    pub(crate) fn file(&self) -> CedarFile {
        self.file.clone()
    }

    /// Notes a mistake at these bytes of it.
    pub(crate) fn report(
        &self,
        range: &Range<usize>,
        (message, help): (&str, &str),
        review: &mut Review<'_>,
    ) {
        let nothing = |_: &str| None;
        let mut inner = Review::new(&self.path, &self.file.text, &nothing);
        let at = span::at_bytes(&self.file.text, range);
        inner.report(at, "bad-policy", message, help);
        review.absorb(inner.into_found());
    }
}

/// The files that the section of a policy names, those of a folder in the order of their names.
pub(crate) fn texts(policy: &Section<'_>, review: &mut Review<'_>) -> Vec<CedarText> {
    let named = one_or_more(policy, "cedar").unwrap_or_default();
    let mut found: Vec<CedarText> = Vec::new();
    for written in named {
        for path in paths(&written, review) {
            if found.iter().all(|earlier| earlier.path != path) {
                found.extend(text(path, &written, review));
            }
        }
    }
    found
}

fn paths(written: &Text, review: &mut Review<'_>) -> Vec<PathBuf> {
    let path = review.resolve(&written.value);
    if !path.is_dir() {
        return review.existing_file(written).into_iter().collect();
    }
    let paths = match in_folder(&path, "cedar") {
        Ok(paths) => paths,
        Err(error) => {
            unreadable(&path, &error, written, review);
            return Vec::new();
        }
    };
    if paths.is_empty() {
        review.report(
            written.at,
            "no-match",
            format!("no file `*.cedar` is in `{}`", path.display()),
            "put policies there, or remove the folder from the list",
        );
    }
    paths
}

/// The files of a folder whose names end so, in the order of their names. What cannot be looked at is an error: it might
/// forbid something.
pub(crate) fn in_folder(folder: &Path, extension: &str) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|found| found == extension) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Reports that a file cannot be read.
pub(crate) fn unreadable(path: &Path, error: &io::Error, written: &Text, review: &mut Review<'_>) {
    review.report(
        written.at,
        "missing-file",
        format!("cannot read `{}`: {error}", path.display()),
        "name readable files of UTF-8",
    );
}

fn text(path: PathBuf, written: &Text, review: &mut Review<'_>) -> Option<CedarText> {
    match load::read(&path) {
        Ok(text) => {
            let name = review.shown(&path);
            let file = CedarFile { name, text };
            Some(CedarText { path, file })
        }
        Err(error) => {
            unreadable(&path, &error, written, review);
            None
        }
    }
}
