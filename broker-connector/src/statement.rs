//! SQL statements that a connection prepares once and keeps.
//!
//! Free SQL would be prepared anew at every call. A statement declared here is a type, which is its identity in the
//! connection's cache; many rows travel as arrays for `unnest`, so a batch of any size is one text.

/// Declares a statement: one field per `?` of the text, in the order of the text.
macro_rules! statement {
    ($(#[$doc:meta])* $name:ident { $($field:ident : $sql_type:ty = $rust_type:ty),* $(,)? } $sql:literal) => {
        $(#[$doc])*
        #[derive(Debug, Default)]
        struct $name { $($field: $rust_type),* }

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
