//! Tables as CSV files (RFC 4180, UTF-8), streamed page by page.
//!
//! A download holds one page in memory and no database connection while its reader is slow. What people or brokers
//! wrote cannot become a formula in the program that opens the file; see [`Cell::text`].

use crate::error::{ApiError, ApiResult, ErrorCode};
use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::web::Bytes;
use futures_util::stream::{self, Stream, StreamExt};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// Downloads that run at the same time.
const DOWNLOADS_MAX: usize = 8;
/// When somebody should come back who found no place.
const RETRY_AFTER_SECONDS: u64 = 5;
/// Pages that are ready before the reader wants them.
const PAGES_AHEAD_MAX: usize = 1;
/// Longest time a reader may take over one page; a download that stands still keeps others out.
const PAGE_TIME_MAX: Duration = Duration::from_secs(30);

/// One field of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell(String);

impl Cell {
    /// What the house itself writes: numbers, times, ids, fixed words.
    #[must_use]
    pub fn plain(value: impl fmt::Display) -> Self {
        Self(value.to_string())
    }

    /// Nothing where there is no value.
    #[must_use]
    pub fn optional(value: Option<impl fmt::Display>) -> Self {
        value.map_or_else(|| Self(String::new()), Self::plain)
    }

    /// Words of somebody else. Spreadsheets take a cell for a formula by its first character (OWASP, "CSV Injection",
    /// which names these characters and the wide forms of East Asian keyboards); an apostrophe before it makes it text.
    #[must_use]
    pub fn text(value: &str) -> Self {
        const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
        if value.starts_with(FORMULA) { Self(format!("'{value}")) } else { Self(value.to_owned()) }
    }
}

/// A line of a file.
pub type Row = Vec<Cell>;

/// Lines as bytes.
fn encode(rows: impl IntoIterator<Item = Row>) -> ApiResult<Bytes> {
    let mut writer =
        csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).flexible(true).from_writer(Vec::new());
    for row in rows {
        writer.write_record(row.iter().map(|cell| cell.0.as_bytes())).map_err(ApiError::internal)?;
    }
    writer.into_inner().map(Bytes::from).map_err(ApiError::internal)
}

/// The places for downloads.
#[derive(Clone)]
pub struct Downloads(Arc<Semaphore>);

impl Default for Downloads {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(DOWNLOADS_MAX)))
    }
}

impl Downloads {
    /// Answers with a file of pages of rows. The first page is read before the answer begins, so that what is wrong from
    /// the start is told as an error; what goes wrong later breaks the connection off, so that no half file passes for
    /// a whole one.
    ///
    /// # Errors
    /// Those of the first page, or [`ErrorCode::TooManyRequests`].
    pub async fn answer(
        &self,
        file_name: &str,
        header: &[&str],
        pages: impl Stream<Item = ApiResult<Vec<Row>>> + 'static,
    ) -> ApiResult<HttpResponse> {
        let place = Arc::clone(&self.0).try_acquire_owned().map_err(|_| {
            ApiError::new(ErrorCode::TooManyRequests, "too many downloads are running")
                .retry_after_seconds(RETRY_AFTER_SECONDS)
        })?;
        let mut pages = Box::pin(pages);
        let head: Row = header.iter().map(Cell::plain).collect();
        let first = pages.next().await.transpose()?.unwrap_or_default();
        let first = encode(std::iter::once(head).chain(first))?;
        let (sender, receiver) = mpsc::channel(PAGES_AHEAD_MAX);
        actix_web::rt::spawn(feed(first, pages, sender, place));
        let body = stream::unfold(Some(receiver), body_of);
        Ok(HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, "text/csv; charset=utf-8; header=present"))
            .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{file_name}\"")))
            .insert_header((CACHE_CONTROL, "no-store"))
            .streaming(body))
    }
}

/// What the reader of a file gets next; nothing behind the last page.
type Chunk = Option<ApiResult<Bytes>>;

/// Brings pages to the reader until the last one, or until the reader is gone or too slow.
async fn feed(
    first: Bytes,
    mut pages: impl Stream<Item = ApiResult<Vec<Row>>> + Unpin,
    sender: mpsc::Sender<Chunk>,
    _place: OwnedSemaphorePermit,
) {
    let mut chunk = Some(Ok(first));
    loop {
        let is_last = !matches!(chunk, Some(Ok(_)));
        let sent = tokio::time::timeout(PAGE_TIME_MAX, sender.send(chunk)).await;
        if is_last || !matches!(sent, Ok(Ok(()))) {
            return;
        }
        chunk = pages.next().await.map(|page| page.and_then(encode));
    }
}

/// The body ends well only where the last page was announced: a sender that went away leaves a broken answer.
async fn body_of(
    receiver: Option<mpsc::Receiver<Chunk>>,
) -> Option<(ApiResult<Bytes>, Option<mpsc::Receiver<Chunk>>)> {
    let mut receiver = receiver?;
    match receiver.recv().await {
        Some(Some(Ok(bytes))) => Some((Ok(bytes), Some(receiver))),
        Some(Some(Err(error))) => Some((Err(error), None)),
        Some(None) => None,
        None => Some((Err(ApiError::new(ErrorCode::RequestTimeout, "the reader is too slow")), None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn no_text_of_others_becomes_a_formula() {
        for formula in ["=1+1", "+A1", "-2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＠x"] {
            assert_eq!(Cell::text(formula).0, format!("'{formula}"));
        }
        assert_eq!(Cell::text("a=1").0, "a=1");
        assert_eq!(Cell::plain("-2.50").0, "-2.50", "a number stays a number");
    }

    #[test]
    fn lines_are_quoted_as_the_format_asks() {
        let rows =
            vec![vec![Cell::text("a,\"b\""), Cell::plain(1)], vec![Cell::text("개미"), Cell::plain("")]];
        assert_eq!(encode(rows).unwrap(), Bytes::from("\"a,\"\"b\"\"\",1\r\n개미,\r\n"));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(cells in prop::collection::vec("\\PC{0,12}|[\"',\r\n=]{0,4}", 2..6)) {
            let bytes = encode([cells.iter().map(|cell| Cell::text(cell)).collect()]).unwrap();
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes.as_ref());
            let row = reader.records().next().unwrap().unwrap();
            let read: Vec<String> = row.iter().map(str::to_owned).collect();
            let written: Vec<String> = cells.iter().map(|cell| Cell::text(cell).0).collect();
            prop_assert_eq!(read, written);
        }
    }
}
