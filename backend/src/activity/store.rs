//! The tables of `activity`.

mod imports;
mod resets;

pub(super) use imports::{
    ImportRow, existing_keys, forget_imports, import_of_file, imports_of, insert_import, insert_lines,
};
pub(super) use resets::{insert_reset, reset_by_key, resets_of, resets_waiting, save_reset};
