//! What every process that speaks to Postgres needs: statements that stay prepared, and settings that keep their plans.

/// For a connection that sends the same few statements all day, each of which finds its rows by index.
///
/// Their plans are made once and kept: Postgres would otherwise plan a statement over arrays anew every time, which
/// costs more than running it. Such a plan may be made while the tables are still empty, so scans are ruled out: one
/// that was right for ten rows would be repeated over a million.
pub const LOOKUP_SETTINGS: &str = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; \
    SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off";

/// Declares a statement: a struct with one field per `?` of its text, in the order of the text.
///
/// Diesel prepares free SQL anew at every call, which costs a round trip and a plan each time. A statement declared here
/// is a type, which is its identity in the connection's cache. Its parameters are typed, and many rows travel as arrays
/// for `unnest`, so that a batch has one text whatever its size.
#[macro_export]
macro_rules! statement {
    ($(#[$doc:meta])* $name:ident { $($field:ident : $sql_type:ty = $rust_type:ty),* $(,)? } $sql:expr) => {
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
