//! SQL statements that are prepared once per connection.
//!
//! Diesel prepares free SQL anew at every call, which costs a round trip and a plan each time. A statement declared
//! with [`statement!`] has an identity of its own, so that the connection keeps it prepared; its parameters are
//! typed, and many rows travel as arrays for `unnest`, so that a batch has one text whatever its size.

/// Declares a statement: a struct with one field per `?` of its text, in the order of the text.
macro_rules! statement {
    ($(#[$doc:meta])* $name:ident { $($field:ident : $sql_type:ty = $rust_type:ty),* $(,)? } $sql:expr) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(super) struct $name { $(pub(super) $field: $rust_type),* }

        impl diesel::query_builder::QueryId for $name {
            type QueryId = Self;
            const HAS_STATIC_QUERY_ID: bool = true;
        }

        impl diesel::query_builder::Query for $name {
            type SqlType = diesel::sql_types::Untyped;
        }

        impl diesel::query_builder::QueryFragment<diesel::pg::Pg> for $name {
            fn walk_ast<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, diesel::pg::Pg>,
            ) -> diesel::QueryResult<()> {
                let mut pieces = $sql.split('?');
                out.push_sql(pieces.next().unwrap_or_default());
                $(
                    out.push_bind_param::<$sql_type, $rust_type>(&self.$field)?;
                    out.push_sql(pieces.next().unwrap_or_default());
                )*
                Ok(())
            }
        }
    };
}

pub(crate) use statement;
