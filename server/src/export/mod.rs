//! Taking data out: every prediction that meets a filter, in one of several forms, a page at a time, so that a million of
//! them need no more memory than a thousand.

mod folder;
mod row;
mod table;

use std::io::{self, Write};

use chrono::{DateTime, Utc};
use gourmetgram_api::{ExportFormat, FolderBy, Prediction, PredictionQuery};
use gourmetgram_object_store::ObjectStore;
use tokio::runtime::Handle;

use crate::catalog::{Catalog, CatalogError, MAX_PAGE, Whose};

/// Why an export came to no end.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The catalog cannot be read.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// Whoever takes it does not take it any more.
    #[error("cannot write: {0}")]
    Write(#[from] io::Error),
    /// A table cannot be made of it.
    #[error("cannot write the table: {0}")]
    Csv(#[from] csv::Error),
    /// As above.
    #[error("cannot write the table: {0}")]
    Parquet(#[from] parquet::errors::ParquetError),
    /// An archive cannot be made of it.
    #[error("cannot write the archive: {0}")]
    Archive(#[from] zip::result::ZipError),
    /// A line cannot be made of it.
    #[error("cannot write a line: {0}")]
    Json(#[from] serde_json::Error),
    /// The photos cannot be read.
    #[error("cannot read photos: {0}")]
    Photos(#[from] gourmetgram_object_store::ObjectStoreError),
}

/// What is taken out.
pub struct Export {
    /// Where it is read.
    pub catalog: Catalog,
    /// Where photos are read.
    pub store: ObjectStore,
    /// Which predictions; how many on a page, and from where on, is not asked.
    pub query: PredictionQuery,
    /// In which form.
    pub format: ExportFormat,
    /// Where photos go.
    pub by: FolderBy,
}

impl Export {
    /// Writes all of it; answers how many predictions that were. It blocks: call it where that is allowed.
    pub fn write(&self, to: impl Write + Send, runtime: &Handle) -> Result<u64, ExportError> {
        let pages = Pages { export: self, runtime, cursor: None, is_over: false };
        match self.format {
            ExportFormat::Jsonl => write_lines(pages, to),
            ExportFormat::Csv => table::write_csv(pages, to),
            ExportFormat::Parquet => table::write_parquet(pages, to),
            ExportFormat::Photos => folder::write(pages, to, &self.store, self.by),
        }
    }

    /// A name for the file.
    pub fn file_name(format: ExportFormat, at: DateTime<Utc>) -> String {
        format!("gourmetgram-{}.{}", at.format("%Y%m%dT%H%M%SZ"), format.extension())
    }
}

/// Page after page of what is taken out.
struct Pages<'a> {
    export: &'a Export,
    runtime: &'a Handle,
    cursor: Option<gourmetgram_api::Cursor>,
    is_over: bool,
}

impl Iterator for Pages<'_> {
    type Item = Result<Vec<Prediction>, ExportError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let query = PredictionQuery {
            limit: Some(MAX_PAGE),
            cursor: self.cursor.take(),
            count: None,
            ..self.export.query.clone()
        };
        let page = self.runtime.block_on(self.export.catalog.predictions(Whose::Everybodys, &query));
        Some(match page {
            Ok(page) => {
                self.is_over = page.next_cursor.is_none();
                self.cursor = page.next_cursor;
                Ok(page.items)
            }
            Err(error) => {
                self.is_over = true;
                Err(error.into())
            }
        })
    }
}

fn write_lines(pages: Pages<'_>, mut to: impl Write) -> Result<u64, ExportError> {
    let mut count = 0;
    for page in pages {
        for prediction in page? {
            serde_json::to_writer(&mut to, &prediction)?;
            to.write_all(b"\n")?;
            count += 1;
        }
    }
    to.flush()?;
    Ok(count)
}
