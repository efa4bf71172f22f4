//! The page: files built by the front end, carried inside the program.

use crate::error::{ApiError, ErrorCode};
use actix_web::http::Method;
use actix_web::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use rust_embed::{EmbeddedFile, RustEmbed};
use std::fmt::Write;

/// The built page. A program built without it serves the API alone.
#[derive(RustEmbed)]
#[folder = "../frontend/dist"]
#[allow_missing = true]
struct Page;

const INDEX: &str = "index.html";
/// Files under this folder carry a hash of their content in their name, so they never change.
const HASHED_FOLDER: &str = "assets/";

/// Answers every address outside of the API: a file of the page, or the page itself, whose own router reads the address.
pub async fn serve(request: HttpRequest) -> HttpResponse {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return ApiError::new(ErrorCode::MethodNotAllowed, "").error_response();
    }
    let path = request.path().trim_start_matches('/');
    if let Some(file) = Page::get(path) {
        return answer(&request, path, file);
    }
    // A missing script answered with the page would only confuse; an address of the page has no dot.
    let names_a_file = path.rsplit('/').next().is_some_and(|name| name.contains('.'));
    match Page::get(INDEX) {
        Some(index) if !names_a_file => answer(&request, INDEX, index),
        Some(_) => ApiError::new(ErrorCode::NotFound, "").error_response(),
        None => ApiError::new(ErrorCode::NotFound, "this server was built without its page").error_response(),
    }
}

fn answer(request: &HttpRequest, path: &str, file: EmbeddedFile) -> HttpResponse {
    let mut tag = String::from("\"");
    for byte in file.metadata.sha256_hash() {
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    let cache =
        if path.starts_with(HASHED_FOLDER) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let unchanged =
        request.headers().get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response = if unchanged { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((ETAG, tag)).insert_header((CACHE_CONTROL, cache));
    if unchanged {
        return response.finish();
    }
    let kind = mime_guess::from_path(path).first_or_octet_stream();
    response.content_type(kind.as_ref()).body(file.data.into_owned())
}
