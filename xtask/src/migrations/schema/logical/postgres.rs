//! The logical schema of PostgreSQL: the schema `public`, without the partitions of its tables.

use anyhow::{Context as _, Result};
use sqlx::Row as _;
use sqlx::postgres::{PgConnection, PgRow};

use super::{Column, Index, Logical, Reference};
use crate::migrations::own_tables;
use crate::migrations::schema::postgres::begin;

macro_rules! ours {
    ($class:literal) => {
        concat!(
            $class,
            ".relnamespace = 'public'::regnamespace and not ",
            $class,
            ".relispartition and ",
            $class,
            ".relname not in ",
            own_tables!(sql),
            "
                and not exists (select from pg_depend e where e.classid = 'pg_class'::regclass and e.objid = ",
            $class,
            ".oid and e.deptype = 'e')"
        )
    };
}

const TABLES: &str = concat!(
    "select lower(t.relname), t.relkind in ('v', 'm'), (select count(*) from pg_constraint k where k.conrelid = t.oid and k.contype = 'c')
    from pg_class t where t.relkind in ('r', 'p', 'v', 'm') and ",
    ours!("t")
);

const COLUMNS: &str = concat!(
    "select lower(t.relname), lower(a.attname), format_type(a.atttypid, a.atttypmod),
        case when coalesce(b.typtype, y.typtype) = 'e' then 'enum' else coalesce(b.typname, y.typname)::text end, not (a.attnotnull or y.typnotnull),
        pg_get_expr(d.adbin, d.adrelid), a.attidentity <> '' or coalesce(pg_get_expr(d.adbin, d.adrelid) like 'nextval(%', false), a.attgenerated <> ''
    from pg_class t join pg_attribute a on a.attrelid = t.oid join pg_type y on y.oid = a.atttypid
        left join pg_type b on b.oid = y.typbasetype left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where t.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped and ",
    ours!("t"),
    " order by t.oid, a.attnum"
);

/// Ordered indexes alone: what gin and its like serve has no twin.
const INDEXES: &str = concat!(
    "select lower(t.relname), array_agg(coalesce(lower(a.attname), '(expression)') order by k.n), i.indisunique, i.indpred is not null, i.indisprimary
    from pg_index i join pg_class t on t.oid = i.indrelid join pg_class x on x.oid = i.indexrelid join pg_am m on m.oid = x.relam
        cross join lateral unnest(i.indkey::int2[]) with ordinality k (attnum, n)
        left join pg_attribute a on a.attrelid = t.oid and a.attnum = k.attnum and k.attnum > 0
    where t.relkind in ('r', 'p') and m.amname = 'btree' and k.n <= i.indnkeyatts and ",
    ours!("t"),
    " group by t.relname, i.indexrelid, i.indisunique, i.indpred is not null, i.indisprimary"
);

const REFERENCES: &str = concat!(
    "select lower(t.relname), array(select lower(a.attname) from unnest(k.conkey) with ordinality u (n, o) join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.n order by u.o),
        lower(r.relname), array(select lower(a.attname) from unnest(k.confkey) with ordinality u (n, o) join pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.n order by u.o),
        w.of->>k.confdeltype::text, w.of->>k.confupdtype::text
    from pg_constraint k join pg_class t on t.oid = k.conrelid join pg_class r on r.oid = k.confrelid,
        (select '{\"a\": \"NO ACTION\", \"r\": \"RESTRICT\", \"c\": \"CASCADE\", \"n\": \"SET NULL\", \"d\": \"SET DEFAULT\"}'::json) w (of)
    where k.contype = 'f' and k.conparentid = 0 and ",
    ours!("t")
);

impl Logical {
    /// Reads it. `connection` must not be in a transaction.
    pub(crate) async fn postgres(connection: &mut PgConnection) -> Result<Self> {
        let mut transaction = begin(connection).await?;
        let mut logical = Self::default();
        for row in rows(&mut transaction, TABLES).await? {
            let name = row.try_get(0)?;
            if row.try_get(1)? {
                logical.views.insert(name);
            } else {
                let checks: i64 = row.try_get(2)?;
                logical.table(name).checks = usize::try_from(checks)?;
            }
        }
        for row in rows(&mut transaction, COLUMNS).await? {
            logical.table(row.try_get(0)?).columns.push(Column {
                name: row.try_get(1)?,
                shown: row.try_get(2)?,
                base: row.try_get(3)?,
                nullable: row.try_get(4)?,
                default: row.try_get(5)?,
                numbered: row.try_get(6)?,
                computed: row.try_get(7)?,
            });
        }
        for row in rows(&mut transaction, INDEXES).await? {
            let index = Index {
                columns: row.try_get(1)?,
                unique: row.try_get(2)?,
                partial: row.try_get(3)?,
            };
            let table = logical.table(row.try_get(0)?);
            if row.try_get(4)? {
                table.key = index.columns;
            } else {
                table.indexes.insert(index);
            }
        }
        for row in rows(&mut transaction, REFERENCES).await? {
            let table = logical.table(row.try_get(0)?);
            table.references.insert(Reference {
                columns: row.try_get(1)?,
                table: row.try_get(2)?,
                targets: row.try_get(3)?,
                on_delete: row.try_get(4)?,
                on_update: row.try_get(5)?,
            });
        }
        transaction.rollback().await?;
        Ok(logical)
    }
}

async fn rows(connection: &mut PgConnection, query: &'static str) -> Result<Vec<PgRow>> {
    let rows = sqlx::query(query).fetch_all(connection).await;
    rows.context("failed to read the logical schema of PostgreSQL")
}
