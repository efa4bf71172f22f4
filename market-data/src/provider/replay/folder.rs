//! A folder of recorded days: CSV and Parquet files, each read by itself, so that a bad one spoils no other.

use super::tape::{Record, Tape};
use crate::provider::ProviderError;
use bytes::Bytes;
use std::fmt::Display;
use std::path::{Path, PathBuf};

/// Largest file that is read, in bytes.
const FILE_SIZE_MAX: u64 = 128 * 1024 * 1024;
/// Most files that are read from a folder.
const FILES_MAX: usize = 1_000;

/// A file's contents.
enum Contents {
    Csv(String),
    Parquet(Bytes),
}

impl Contents {
    fn record(&self) -> Record<'_> {
        match self {
            Self::Csv(text) => Record::Csv(text),
            Self::Parquet(bytes) => Record::Parquet(bytes.clone()),
        }
    }
}

/// Reads files that have to be good.
pub(super) fn read<'a>(
    files: impl IntoIterator<Item = impl Into<Record<'a>>>,
    name: &str,
) -> Result<Tape, ProviderError> {
    Tape::read(files).map_err(|error| ProviderError::Unusable(format!("{name} cannot be played: {error}")))
}

/// Reads a folder; the record, and a note for each file that is not played.
pub(super) fn read_folder(folder: &Path) -> Result<(Tape, Vec<String>), ProviderError> {
    let unusable = |error: &dyn Display| {
        ProviderError::Unusable(format!("GAEMI_REPLAY_FOLDER {}: {error}", folder.display()))
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| unusable(&error))? {
        let path = entry.map_err(|error| unusable(&error))?.path();
        if path.extension().is_some_and(|extension| extension == "csv" || extension == "parquet") {
            paths.push(path);
        }
    }
    paths.sort();
    if paths.len() > FILES_MAX {
        return Err(unusable(&format!("holds more than {FILES_MAX} files")));
    }
    let (mut files, mut notes) = (Vec::new(), Vec::new());
    for path in paths {
        let size = std::fs::metadata(&path).map_err(|error| unusable(&error))?.len();
        if size > FILE_SIZE_MAX {
            return Err(unusable(&format!("{} is larger than {FILE_SIZE_MAX} bytes", path.display())));
        }
        match try_file(&path) {
            Ok(contents) => files.push(contents),
            Err(error) => {
                let note =
                    format!("{} is not played: {error}", path.file_name().unwrap_or_default().display());
                tracing::warn!("{note}");
                notes.push(note);
            }
        }
    }
    Ok((read(files.iter().map(Contents::record), "the record")?, notes))
}

fn try_file(path: &PathBuf) -> Result<Contents, String> {
    let is_parquet = path.extension().is_some_and(|extension| extension == "parquet");
    let contents = if is_parquet {
        std::fs::read(path).map(|bytes| Contents::Parquet(bytes.into()))
    } else {
        std::fs::read_to_string(path).map(Contents::Csv)
    };
    let contents = contents.map_err(|error| error.to_string())?;
    Tape::read([contents.record()]).map_err(|error| error.to_string())?;
    Ok(contents)
}
